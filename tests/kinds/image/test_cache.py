import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from evenkeel.kinds.image import cache as image_cache
from evenkeel.kinds.image.cache import cached, user_folder
from evenkeel.kinds.image.files import Decoded, ImageForm, decode

FORM = ImageForm(height=4, width=4, channels=1)


@pytest.fixture
def paths(tmp_path, monkeypatch):
    monkeypatch.setattr(image_cache, "FEWEST_FILES", 1)
    for index in range(3):
        Image.fromarray(np.full((4, 4), index, np.uint8)).save(tmp_path / f"{index}.png")
    return [tmp_path / f"{index}.png" for index in range(3)]


class Counted:
    """Decoding that counts its calls."""

    def __init__(self):
        self.calls = 0

    def __call__(self, paths, form):
        self.calls += 1
        return decode(paths, form)


def test_the_second_time_nothing_is_decoded_and_all_is_the_same(paths, tmp_path):
    (tmp_path / "1.png").write_text("broken")
    counted = Counted()
    first, second = (cached(paths, FORM, tmp_path / "kept", counted) for _ in range(2))
    assert counted.calls == 1
    assert torch.equal(first.pixels, second.pixels) and first.failures == second.failures
    assert first.rows.tolist() == second.rows.tolist() == [0, 2]


@pytest.mark.parametrize("change", ["content", "time", "form", "order", "gone"])
def test_whatever_decides_the_content_decodes_anew(change, paths, tmp_path):
    counted = Counted()
    cached(paths, FORM, tmp_path / "kept", counted)
    form = FORM
    if change == "content":
        Image.fromarray(np.full((4, 4), 9, np.uint8)).save(paths[0], compress_level=0)
    elif change == "time":
        os.utime(paths[0], (1, 1))
    elif change == "form":
        form = ImageForm(height=4, width=4, channels=3)
    elif change == "order":
        paths = paths[::-1]
    else:
        paths[0].unlink()
    cached(paths, form, tmp_path / "kept", counted)
    assert counted.calls == 2


@pytest.mark.parametrize("content", [b"", b"garbage", None])
def test_a_damaged_copy_is_replaced(content, paths, tmp_path):
    counted = Counted()
    cached(paths, FORM, tmp_path / "kept", counted)
    (kept,) = (tmp_path / "kept").iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2] if content is None else content)
    assert cached(paths, FORM, tmp_path / "kept", counted).pixels[2].unique().tolist() == [2]
    assert counted.calls == 2 and kept.read_bytes() == whole


def test_few_files_and_no_folder_keep_nothing(paths, tmp_path, monkeypatch):
    counted = Counted()
    cached(paths, FORM, None, counted)
    monkeypatch.setattr(image_cache, "FEWEST_FILES", 4)
    cached(paths, FORM, tmp_path / "kept", counted)
    assert counted.calls == 2 and not (tmp_path / "kept").exists()


def test_a_folder_that_cannot_be_written_is_done_without(paths, tmp_path):
    (tmp_path / "file").write_text("in the way")
    decoded = cached(paths, FORM, tmp_path / "file" / "kept", decode)
    assert len(decoded.pixels) == 3


def test_what_was_not_used_for_longest_goes_first(paths, tmp_path, monkeypatch):
    monkeypatch.setattr(image_cache, "MOST_KEPT", 2)
    counted, folder = Counted(), tmp_path / "kept"
    for index, side in enumerate((4, 5, 6)):
        cached(paths, ImageForm(height=side, width=4, channels=1), folder, counted)
        for age, kept in enumerate(sorted(folder.iterdir(), key=lambda each: each.stat().st_mtime)):
            os.utime(kept, (index + age, index + age))
    assert len(list(folder.iterdir())) == 2
    cached(paths, ImageForm(height=6, width=4, channels=1), folder, counted)
    assert counted.calls == 3


def write_often(folder, paths, seed):
    image_cache.FEWEST_FILES = 1
    form = ImageForm(height=64, width=64, channels=1)
    pixels = torch.full((3, 1, 64, 64), seed, dtype=torch.uint8)
    for _ in range(40):
        image_cache._write(folder / "one.safetensors", Decoded(pixels=pixels, rows=np.arange(3), failures={}))
        decoded = image_cache._read(folder / "one.safetensors", 3)
        # Either process may have been the last to write, but what is read is whole.
        assert decoded is not None and decoded.pixels.unique().numel() == 1 and len(paths) == 3 and form


def test_two_processes_never_see_half_of_it(paths, tmp_path):
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=write_often, args=(tmp_path / "kept", paths, seed)) for seed in (1, 2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_the_folder_is_where_the_system_wants_it(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert user_folder() == Path("/somewhere/evenkeel/images")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert user_folder() == Path.home() / ".cache" / "evenkeel" / "images"
