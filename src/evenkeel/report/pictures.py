"""What a report shows of the examples themselves, by the kind of data: images, forecasts, texts, graphs, a map."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from evenkeel.data.schema import DataSchema
from evenkeel.heads import HeadPart
from evenkeel.heads.answers import Answers
from evenkeel.kinds import Kind
from evenkeel.kinds.graph.schema import GraphSchema
from evenkeel.kinds.latent_head import latent_of
from evenkeel.kinds.sequence.schema import SequenceSchema
from evenkeel.kinds.series.schema import SeriesSchema
from evenkeel.kinds.text.generate import continue_text
from evenkeel.network import Network
from evenkeel.page import Section, graphs
from evenkeel.page.forecasts import ShownForecast, forecasts_section
from evenkeel.page.images import images_section, made_section
from evenkeel.page.sequences import ShownSequence, sequences_section
from evenkeel.page.texts import ShownText, samples_section, text_of, texts_section
from evenkeel.record import SHOWN, RunRecord
from evenkeel.shapes import Tensor

DRAWN = 24  # new images shown of a latent head
WRITTEN, SAMPLES = 400, 2  # tokens of a sample of text, and how many samples


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a picture is drawn from: the schema, the network, and what was kept of the test rows."""

    kind: Kind
    schema: DataSchema
    head: HeadPart
    network: Network
    kept: Mapping[str, np.ndarray]
    output: Tensor | None
    target: Tensor | None
    answers: Answers | None


def pictures(record: RunRecord, network: Network, sample: Mapping[str, Tensor]) -> list[Section]:
    """One picture of all rows by the head, or else some examples by their kind; none where nothing was kept."""
    output, target, answers = sample.get("output"), sample.get("target"), None
    if output is not None and target is not None:
        if network.head.embeds == "output":
            return _present(network.head.picture(output, target, record.target))
        answers = network.head.answers(output, target, record.target)
    make = MAKERS.get(record.kind.name)
    if make is None:
        return []
    section = make(
        Shown(
            kind=record.kind,
            schema=record.schema_,
            head=record.head,
            network=network,
            kept={name.removeprefix(SHOWN): each.numpy() for name, each in sample.items() if name.startswith(SHOWN)},
            output=output,
            target=target,
            answers=answers,
        )
    )
    return _present(section)


def _present(section: Section | None) -> list[Section]:
    return [] if section is None else [section]


def _images(shown: Shown) -> Section | None:
    """Test images with what was said of them, or new ones."""
    if shown.head.target == "inputs":
        drawn = np.moveaxis(_drawn(shown), -1, 1)
        return made_section(_as_bytes(drawn), caption="Decoded from codes drawn at random.")
    if shown.answers is None or "pixels" not in shown.kept:
        return None
    place = shown.kept["place"]
    return images_section(
        shown.kept["pixels"],
        [shown.answers.truth[row] for row in place],
        [shown.answers.prediction[row] for row in place],
        surprise=shown.answers.miss[place].tolist(),
        wrong=None if shown.answers.right is None else (~shown.answers.right[place]).tolist(),
        confidence=None if shown.answers.confidence is None else shown.answers.confidence[place].tolist(),
    )


def _drawn(shown: Shown) -> np.ndarray:
    """New examples from the latent head, as the data hold them."""
    drawn = latent_of(shown.network.head).sample(DRAWN, generator=torch.Generator().manual_seed(0))
    return shown.kind.restore(shown.schema, drawn).numpy()


def _as_bytes(images: np.ndarray) -> np.ndarray:
    """Numbers from the smallest to the largest as 0..255."""
    low, high = float(images.min()), float(images.max())
    if images.dtype == np.uint8:
        return images
    scaled = (images - min(low, 0.0)) / max(high - min(low, 0.0), 1e-12)
    return (255 * scaled).round().astype(np.uint8)


def _graphs(shown: Shown) -> Section | None:
    """Some test graphs, or what surrounds some test nodes."""
    schema = shown.schema
    if shown.answers is None or "edges" not in shown.kept or not isinstance(schema, GraphSchema):
        return None
    right = None if shown.answers.right is None else shown.answers.right.tolist()
    words = graphs.Told(truth=shown.answers.truth, prediction=shown.answers.prediction, right=right)
    return graphs.graphs_section(shown.kept, words, level=schema.level)


def _sequences(shown: Shown) -> Section | None:
    """Some test sequences as lines."""
    schema = shown.schema
    if "values" not in shown.kept or not isinstance(schema, SequenceSchema):
        return None
    answers = shown.answers if schema.answers == "example" else None
    found = [
        ShownSequence(values=values[:length])
        if answers is None
        else ShownSequence(
            values=values[:length],
            truth=answers.truth[row],
            prediction=answers.prediction[row],
            miss=float(answers.miss[row]),
            right=None if answers.right is None else bool(answers.right[row]),
        )
        for row, (values, length) in enumerate(zip(shown.kept["values"], shown.kept["lengths"], strict=True))
    ]
    return sequences_section(found, [channel.name for channel in schema.channels])


def _forecasts(shown: Shown) -> Section | None:
    """Some test windows with the forecast's band."""
    schema = shown.schema
    if shown.output is None or shown.target is None or "history" not in shown.kept:
        return None
    if not isinstance(schema, SeriesSchema):
        return None
    place = torch.from_numpy(shown.kept["place"])
    head = shown.network.head
    output = shown.output.index_select(0 if head.members is None else 1, place)
    shape = (len(place), schema.horizon)
    distribution = head.distribution(output)
    low, high = (None, None) if distribution is None else distribution.interval(0.9)
    mean, truth = head.predict(output).double().numpy(), shown.target[place].double().numpy()
    found = [
        ShownForecast(
            name=schema.names[int(shown.kept["series"][row])],
            history=shown.kept["history"][row],
            truth=truth[row],
            mean=mean[row],
            low=None if low is None else low.reshape(shape)[row],
            high=None if high is None else high.reshape(shape)[row],
        )
        for row in range(len(place))
    ]
    return forecasts_section(found, schema.step.text)


def _texts(shown: Shown) -> Section | None:
    """The worst mistakes, or what the network writes by itself."""
    if shown.head.target == "tokens":
        return samples_section([_written(shown, seed) for seed in range(SAMPLES)])
    if shown.answers is None or "texts" not in shown.kept:
        return None
    found = [
        ShownText(
            text=text_of(row),
            truth=shown.answers.truth[place],
            prediction=shown.answers.prediction[place],
            miss=float(shown.answers.miss[place]),
            right=None if shown.answers.right is None else bool(shown.answers.right[place]),
            confidence=None if shown.answers.confidence is None else float(shown.answers.confidence[place]),
        )
        for place, row in enumerate(shown.kept["texts"])
    ]
    return texts_section(found)


def _written(shown: Shown, seed: int) -> str:
    """Text that the network writes by itself."""
    device = next(shown.network.parameters()).device
    options = {"length": WRITTEN, "temperature": 0.8, "top_k": None, "top_p": None}
    generator = torch.Generator(device).manual_seed(seed)
    return continue_text(shown.network, shown.schema, "", **options, generator=generator)


MAKERS: Mapping[str, Callable[[Shown], Section | None]] = {
    "image": _images,
    "graph": _graphs,
    "sequence": _sequences,
    "series": _forecasts,
    "text": _texts,
}
