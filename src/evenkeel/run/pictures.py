"""What a report shows of the examples themselves, by the kind of data: images, forecasts, texts, graphs, a map."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch

from evenkeel.kinds.graph.schema import GraphSchema
from evenkeel.kinds.sequence.schema import SequenceSchema
from evenkeel.kinds.series.schema import SeriesSchema
from evenkeel.page import Section, graphs
from evenkeel.page.embeddings import embedding_section
from evenkeel.page.forecasts import ShownForecast, forecasts_section
from evenkeel.page.images import images_section, made_section
from evenkeel.page.sequences import ShownSequence, sequences_section
from evenkeel.page.texts import ShownText, samples_section, text_of, texts_section
from evenkeel.run.answers import Told, told_of
from evenkeel.run.run import SHOWN, Run

DRAWN = 24  # new images shown of a latent head
WRITTEN, SAMPLES = 400, 2  # tokens of a sample of text, and how many samples
Shown = Mapping[str, np.ndarray]


def pictures_of(run: Run) -> list[Section]:
    """The sections of a run's kind; none where nothing was kept of the test rows."""
    shown = {name.removeprefix(SHOWN): tensor.numpy() for name, tensor in run.sample.items() if name.startswith(SHOWN)}
    make = _map if run.plan.task == "embedding" else MAKERS.get(run.kind.name)
    found = make(run, shown, told_of(run)) if make is not None else None
    return [] if found is None else [found]


def _images(run: Run, shown: Shown, told: Told | None) -> Section | None:
    """Test images with what was said of them, or new ones."""
    if run.part.reads == "inputs":
        drawn = np.moveaxis(run.draw(DRAWN), -1, 1)
        return made_section(_as_bytes(drawn), caption="Decoded from codes drawn at random.")
    if told is None or "pixels" not in shown:
        return None
    place = shown["place"]
    return images_section(
        shown["pixels"],
        [told.truth[row] for row in place],
        [told.prediction[row] for row in place],
        surprise=told.miss[place].tolist(),
        wrong=None if told.right is None else (~told.right[place]).tolist(),
        confidence=None if told.confidence is None else told.confidence[place].tolist(),
    )


def _as_bytes(images: np.ndarray) -> np.ndarray:
    """Numbers from the smallest to the largest as 0..255."""
    low, high = float(images.min()), float(images.max())
    if images.dtype == np.uint8:
        return images
    scaled = (images - min(low, 0.0)) / max(high - min(low, 0.0), 1e-12)
    return (255 * scaled).round().astype(np.uint8)


def _graphs(run: Run, shown: Shown, told: Told | None) -> Section | None:
    """Some test graphs, or what surrounds some test nodes."""
    schema = run.record.schema_
    if told is None or "edges" not in shown or not isinstance(schema, GraphSchema):
        return None
    right = None if told.right is None else told.right.tolist()
    words = graphs.Told(truth=told.truth, prediction=told.prediction, right=right)
    return graphs.graphs_section(shown, words, level=schema.level)


def _sequences(run: Run, shown: Shown, told: Told | None) -> Section | None:
    """Some test sequences as lines."""
    schema = run.record.schema_
    if "values" not in shown or not isinstance(schema, SequenceSchema):
        return None
    told = told if schema.answers == "example" else None
    found = [
        ShownSequence(values=values[:length])
        if told is None
        else ShownSequence(
            values=values[:length],
            truth=told.truth[row],
            prediction=told.prediction[row],
            miss=float(told.miss[row]),
            right=None if told.right is None else bool(told.right[row]),
        )
        for row, (values, length) in enumerate(zip(shown["values"], shown["lengths"], strict=True))
    ]
    return sequences_section(found, [channel.name for channel in schema.channels])


def _forecasts(run: Run, shown: Shown, told: Told | None) -> Section | None:
    """Some test windows with the forecast's band."""
    schema = run.record.schema_
    if "history" not in shown or not isinstance(schema, SeriesSchema):
        return None
    place = torch.from_numpy(shown["place"])
    head = run.network.head
    output = run.sample["output"].index_select(0 if head.members is None else 1, place)
    shape = (len(place), schema.horizon)
    distribution = head.distribution(output)
    low, high = (None, None) if distribution is None else distribution.interval(0.9)
    mean, truth = head.predict(output).double().numpy(), run.sample["target"][place].double().numpy()
    found = [
        ShownForecast(
            name=schema.names[int(shown["series"][row])],
            history=shown["history"][row],
            truth=truth[row],
            mean=mean[row],
            low=None if low is None else low.reshape(shape)[row],
            high=None if high is None else high.reshape(shape)[row],
        )
        for row in range(len(place))
    ]
    return forecasts_section(found, schema.step.text)


def _texts(run: Run, shown: Shown, told: Told | None) -> Section | None:
    """The worst mistakes, or what the network writes by itself."""
    if run.part.reads == "tokens":
        return samples_section([run.generate("", length=WRITTEN, seed=seed) for seed in range(SAMPLES)])
    if told is None or "texts" not in shown:
        return None
    found = [
        ShownText(
            text=text_of(row),
            truth=told.truth[place],
            prediction=told.prediction[place],
            miss=float(told.miss[place]),
            right=None if told.right is None else bool(told.right[place]),
            confidence=None if told.confidence is None else float(told.confidence[place]),
        )
        for place, row in enumerate(shown["texts"])
    ]
    return texts_section(found)


def _map(run: Run, shown: Shown, told: Told | None) -> Section | None:
    """Where the test rows lie: groups in colours, or both sides of pairs."""
    if "output" not in run.sample:
        return None
    groups = None
    if run.part.reads == "groups":
        groups = [str(run.classes[row]) for row in run.sample["target"].tolist()]
    return embedding_section(run.sample["output"].numpy(), groups)


MAKERS: Mapping[str, Callable[[Run, Shown, Told | None], Section | None]] = {
    "image": _images,
    "graph": _graphs,
    "sequence": _sequences,
    "series": _forecasts,
    "text": _texts,
}
