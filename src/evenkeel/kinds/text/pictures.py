"""What a report shows of texts: the worst mistakes with their texts, or what the network writes by itself."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from evenkeel.data.dataset import Dataset
from evenkeel.kinds.base import Shown
from evenkeel.kinds.text.generate import continue_text
from evenkeel.kinds.text.schema import TextSchema
from evenkeel.page import Section
from evenkeel.page.texts import ShownText, samples_section, text_of, texts_section
from evenkeel.shapes import Tensor

WRITTEN, SAMPLES = 400, 2  # tokens of a sample of text, and how many samples


def keep_texts(dataset: Dataset[TextSchema], rows: Tensor) -> Mapping[str, Tensor]:
    """The texts of some rows as bytes (row, byte), padded with 0."""
    if "texts" not in dataset.display:
        return {}
    return {"texts": dataset.display["texts"].index_select(0, rows)}


def text_pictures(shown: Shown[TextSchema]) -> Section | None:
    """The worst mistakes; samples of text where the network continues texts."""
    if shown.schema.window is not None:
        return samples_section([_sample(shown, seed) for seed in range(SAMPLES)])
    answers = shown.answers
    if answers is None or "texts" not in shown.tensors:
        return None
    texts = [
        ShownText(
            text=text_of(row),
            truth=answers.truth[place],
            prediction=answers.prediction[place],
            miss=float(answers.miss[place]),
            right=None if answers.right is None else bool(answers.right[place]),
            confidence=None if answers.confidence is None else float(answers.confidence[place]),
        )
        for place, row in enumerate(shown.tensors["texts"])
    ]
    return texts_section(texts)


def _sample(shown: Shown[TextSchema], seed: int) -> str:
    """A text that begins as after the end of a line."""
    generator = torch.Generator(next(shown.network.parameters()).device).manual_seed(seed)
    return continue_text(shown.network, shown.schema, "", length=WRITTEN, generator=generator)
