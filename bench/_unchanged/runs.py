"""One small training of every kind of data and task: what `ek.fit` is called with, and on what the run is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
import torch
from torch import Tensor, nn

from bench._unchanged import made

SMALL = {"updates": 40, "width": 16, "depth": 1, "members": 2, "evaluations": 8, "batch_size": 16, "dropout": 0.1}
ALONE = {name: value for name, value in SMALL.items() if name != "members"}  # of one network
WIDER = {**ALONE, "width": 32}  # a transformer's heads share its width
BRIEF = {**ALONE, "updates": 12, "width": 8}  # convolutions


@dataclass(frozen=True, kw_only=True)
class Training:
    """Data and options of `ek.fit`; `new` is predicted, `known` is measured on.

    `far` is what `run.interpolate` goes to from there; `net` is given to `ek.load` too.
    """

    data: Any
    options: Mapping[str, Any]
    new: Any
    known: Any
    far: Any = None
    net: Callable[[], nn.Module] | None = None


def of_table(target: str | list[str], own: Callable[[], nn.Module] | None = None, **options: Any) -> Training:
    """The generated table with one of its targets, and perhaps a net of one's own."""
    names = [target] if isinstance(target, str) else target
    columns = ["signal", "noise", "town", *(["block"] if "block" in options.get("split", "") else [])]
    frame = made.table()[[*columns, *names]]
    options = {"target": target, "settings": SMALL, **options}
    return Training(data=frame, options=options, new=frame[:9][columns], known=frame[:40], net=own)


def of_sample(name: str, **options: Any) -> Training:
    """A set that comes with the library."""
    source = f"sample:{name}"
    return Training(data=source, options={"target": "target", "settings": SMALL, **options}, new=source, known=source)


class Given(nn.Module):
    """A net of one's own: numbers, gaps as zeros, and a category, to features."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.levels = nn.Linear(2, 16), nn.Embedding(8, 16)

    def forward(self, numbers: Tensor, categories: Tensor) -> Tensor:
        """(batch, column) of each to (batch, unit)."""
        return torch.tanh(self.layer(torch.nan_to_num(numbers)) + self.levels(categories[:, 0]))


def given() -> nn.Module:
    torch.manual_seed(0)
    return Given()


def of_images(**options: Any) -> Training:
    """Images of two classes."""
    images = made.images()
    options = {"settings": BRIEF, **options}
    return Training(data=(images, made.LABEL), options=options, new=images[:5], known=(images, made.LABEL))


def code() -> Training:
    """Images to be drawn anew."""
    images = made.images()
    options = {"kind": "image", "task": "generation", "settings": BRIEF}
    return Training(data=images, options=options, new=images[:5], known=images, far=images[5:6])


def of_waves(**options: Any) -> Training:
    """Sequences of two classes."""
    waves = made.waves()
    data = (waves, made.LABEL)
    return Training(data=data, options={"settings": BRIEF, **options}, new=waves[:5], known=data)


def steps() -> Training:
    """Sequences with an answer at each step."""
    waves = made.waves()
    data = (waves, [(wave[:, 0] > 0.5).astype(int) for wave in waves])
    return Training(data=data, options={"net": "rnn", "settings": BRIEF}, new=waves[:5], known=data)


def keys() -> Training:
    """Sequences with several labels at each step."""
    waves = made.waves()
    data = (waves, [(wave > 0.5).astype(int) for wave in waves])
    return Training(data=data, options={"task": "multi-label", "settings": BRIEF}, new=waves[:5], known=data)


def long_table() -> Training:
    """Sequences as the rows of a table, each with its name and its times, out of order."""
    parts = [
        pl.DataFrame(
            {"who": f"p{row}", "when": range(len(wave)), "first": wave[:, 0], "second": wave[:, 1], "y": answer}
        )
        for row, (wave, answer) in enumerate(zip(made.waves(), made.LABEL.tolist(), strict=True))
    ]
    frame = pl.concat(parts).sample(fraction=1.0, shuffle=True, seed=0)
    options = {"kind": "sequence", "target": "y", "settings": {**BRIEF, "series": "who", "time": "when"}}
    return Training(data=frame, options=options, new=frame.drop("y"), known=frame)


def series(**options: Any) -> Training:
    """A forecast of four hours from twelve."""
    settings = {**ALONE, "horizon": 4, "window": 12, "time": "hour"}
    frame = made.load()
    return Training(data=frame, options={"kind": "series", "settings": settings, **options}, new=frame, known=frame)


def of_films(**options: Any) -> Training:
    """Texts of two classes."""
    films = made.films()
    return Training(data=films, options={"settings": SMALL, **options}, new=films[0][:7], known=films)


def text_pairs() -> Training:
    """A number for two texts."""
    frame = made.text_pairs()
    options = {"kind": "text", "target": "score", "settings": {**SMALL, "text": "one,two"}}
    return Training(data=frame, options=options, new=frame[:7][["one", "two"]], known=frame)


def stream() -> Training:
    """A text that is continued."""
    options = {"kind": "text", "settings": {**WIDER, "window": 16}}
    return Training(data=made.LINES, options=options, new="the cat", known=made.LINES[:400])


def whole_graphs() -> Training:
    """An answer for each graph."""
    graphs, answers = made.rings()
    return Training(data=(graphs, answers), options={"settings": BRIEF}, new=graphs[:5], known=(graphs, answers))


def nodes() -> Training:
    """An answer for each node."""
    graph = made.communities()
    return Training(data=graph, options={"settings": BRIEF}, new=graph, known=graph)


def sides() -> Training:
    """Numbers that belong together."""
    left, right = made.sides()
    options = {"kind": "pair", "settings": ALONE}
    return Training(data=(left, right), options=options, new=(left[:5], right[:5]), known=(left, right))


def text_sides() -> Training:
    """Texts that belong together."""
    left, right = made.films()[0], made.text_pairs()["one"].to_list()
    options = {"kind": "pair", "settings": ALONE}
    return Training(data=(left, right), options=options, new=(left[:5], right[:5]), known=(left, right))


def image_sides() -> Training:
    """Images and numbers that belong together, as columns by name."""
    images, (left, _) = made.images(), made.sides()
    data = {"left": images, "right": left}
    options = {"kind": "pair", "settings": BRIEF}
    return Training(data=data, options=options, new={"left": images[:5]}, known=data)


RUNS: Mapping[str, Callable[[], Training]] = {
    "table-regression": lambda: of_table("height", task="regression"),
    "table-probabilistic-regression": lambda: of_sample("diabetes"),
    "table-positive-regression": lambda: of_table("count", task="positive-regression"),
    "table-later-rows": lambda: of_table(
        "height", split="time:noise", validation=0.2, settings={**SMALL, "norm": "batch"}
    ),
    "table-single-label": lambda: of_sample("wine", loss="focal"),
    "table-multi-label": lambda: of_table(["wet", "cold"]),
    "table-embedding": lambda: of_sample("wine", task="embedding", settings=ALONE),
    "table-groups-and-weights": lambda: of_table("class", split="group:block", sample_weight="balanced"),
    "table-net-of-ones-own": lambda: of_table("height", own=given, settings={"updates": 40, "batch_size": 16}),
    "image-single-label": of_images,
    "image-transformer": lambda: of_images(net="transformer", settings=WIDER),
    "image-code": code,
    "sequence-single-label": of_waves,
    "sequence-steps": steps,
    "sequence-steps-of-labels": keys,
    "sequence-long-table": long_table,
    "series": series,
    "series-point-rnn": lambda: series(net="rnn", task="regression"),
    "text-single-label": of_films,
    "text-transformer": lambda: of_films(net="transformer", settings=WIDER),
    "text-pairs": text_pairs,
    "text-continued": stream,
    "graph": whole_graphs,
    "graph-nodes": nodes,
    "pair": sides,
    "pair-of-texts": text_sides,
    "pair-of-image-and-numbers": image_sides,
}
