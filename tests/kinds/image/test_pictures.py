import numpy as np
import torch
from torch import nn

from evenkeel import heads
from evenkeel.heads.answers import Answers
from evenkeel.kinds import PARTS as KINDS
from evenkeel.kinds.base import DataRequest, Shown
from evenkeel.kinds.image.pictures import image_pictures, keep_images
from evenkeel.kinds.image.schema import ImageOptions

IMAGE = KINDS["image"]
SCHEMA = IMAGE.schema.model_construct()


def prepare(data, **request):
    return IMAGE.prepare(data, DataRequest(options=ImageOptions(cache="none"), **request))


def test_pictures_of_large_test_parts_are_small_and_spread(monkeypatch):
    monkeypatch.setattr("evenkeel.kinds.image.pictures.SHOWN_BYTES", 48 * 48 * 5)
    images = np.random.default_rng(0).integers(0, 255, (24, 96, 96), dtype=np.uint8)
    data = prepare((images, np.arange(24) % 2)).dataset
    kept = keep_images(data, torch.arange(24))
    assert kept["place"].tolist() == [0, 5, 10, 15, 20] and kept["pixels"].shape == (5, 1, 48, 48)
    numbers = prepare((images[:, None] / 255.0, np.arange(24) % 2)).dataset
    both = keep_images(numbers, torch.arange(24))["pixels"].int() - kept["pixels"].int()
    assert both.abs().max() <= 4  # of the range of training, which may be a little narrower


def test_nothing_kept_is_nothing_shown():
    assert IMAGE.pictures(Shown(schema=SCHEMA, head=heads.Value(4), network=nn.Identity(), tensors={})) is None


def test_the_kept_images_stand_with_their_answers():
    answers = Answers(
        truth=["ash", "oak", "ash"],
        prediction=["ash", "ash", "ash"],
        miss=np.array([-0.9, 0.8, -0.7]),
        right=np.array([True, False, True]),
        confidence=np.array([0.9, 0.8, 0.7]),
    )
    tensors = {"pixels": np.zeros((2, 1, 4, 4), np.uint8), "place": np.array([0, 1])}
    shown = Shown(schema=SCHEMA, head=heads.Value(4), network=nn.Identity(), tensors=tensors, answers=answers)
    section = image_pictures(shown)
    assert (
        section.svg.count("<image") == 2
        and "is oak" in section.svg
        and "first the mistakes (1 in all" in section.caption
    )
