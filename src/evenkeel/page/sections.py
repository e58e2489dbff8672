"""What a report is made of: frozen records that a run fills and the page draws; they know nothing of training.

A section that is `None` or empty is left out of the page. Texts are plain words and are escaped when drawn; arrays may
be any sequence of numbers, and values that are not finite are drawn as gaps. Shares are between 0 and 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evenkeel.errors import ShapeError
from evenkeel.finding import Severity
from evenkeel.page.comparisons import Comparison
from evenkeel.svg import NumberLike, NumbersLike

Tone = Literal["good", "note", "bad"]
NumberForm = Literal["number", "percent"]
Better = Literal["lower", "higher"]
Role = Literal["input", "target", "left out"]


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """One plain sentence and how to take it."""

    text: str
    tone: Tone = "note"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One headline number of the test part, with its unit and what it means; `percent` writes a share as such."""

    name: str
    value: NumberLike
    unit: str = ""
    explanation: str = ""
    form: NumberForm = "number"


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many rows a part of the split or a class of the target has."""

    name: str
    count: int


@dataclass(frozen=True, kw_only=True)
class TargetSketch:
    """The target of some rows: numbers, drawn as a histogram, or how many rows each class or label has."""

    values: NumbersLike | None = None
    counts: Sequence[Count] = ()


@dataclass(frozen=True, kw_only=True)
class ShownColumn:
    """One column of the data: its kind, how many values are missing, some of its values, and what was done with it."""

    name: str
    kind: str
    missing: int = 0
    examples: Sequence[str] = ()
    role: Role = "input"
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class DataSection:
    """Where the data come from and how they were understood.

    `target_values` (numbers, in `unit`) is drawn as a histogram, `target_counts` (classes or labels) as bars;
    both are of `target_rows` test rows.
    """

    source: str
    parts: Sequence[Count]
    split: str
    target: str
    task: str
    reason: str = ""
    columns: Sequence[ShownColumn] = ()
    notes: Sequence[Sentence] = ()
    unit: str = ""
    target_values: NumbersLike | None = None
    target_counts: Sequence[Count] = ()
    target_rows: int = 0


@dataclass(frozen=True, kw_only=True)
class ShownLayer:
    """One row of the network's description: its name, the shape it puts out (without batch), its parameters."""

    name: str
    shape: str
    parameters: int


@dataclass(frozen=True, kw_only=True)
class ShownSetting:
    """One choice of the recipe and, where it helps, why it was made."""

    name: str
    value: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class PlanSection:
    """The network and the recipe it was trained by; `parameters` counts the trainable numbers."""

    task: str
    net: str
    head: str
    loss: str
    parameters: int
    layers: Sequence[ShownLayer] = ()
    settings: Sequence[ShownSetting] = ()


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Something measured along the training: one value for each of the updates it was measured at."""

    name: str
    updates: NumbersLike
    values: NumbersLike

    def __post_init__(self) -> None:
        if len(self.updates) != len(self.values):
            sizes = f"{len(self.updates)} updates and {len(self.values)} values"
            raise ShapeError(f"the curve {self.name!r} needs a value for every update, got {sizes}")


@dataclass(frozen=True, kw_only=True)
class CurvesSection:
    """How the training went: loss on the training and validation parts, the validation metric, the learning rate.

    `best_update` is the update whose weights were kept; `seconds` is how long the training took.
    """

    loss: str
    training: Curve
    validation: Curve | None = None
    metric: Curve | None = None
    learning_rate: Curve | None = None
    best_update: int | None = None
    seconds: NumberLike | None = None


@dataclass(frozen=True, kw_only=True)
class ColumnImportance:
    """How much the metric worsens when one column is shuffled: mean over repeats and standard deviation."""

    name: str
    drop: NumberLike
    spread: NumberLike = 0.0


@dataclass(frozen=True, kw_only=True)
class ImportanceSection:
    """Which columns the network leans on, measured on the test part by shuffling one column at a time."""

    metric: str
    columns: Sequence[ColumnImportance]
    unit: str = ""
    repeats: int = 1


@dataclass(frozen=True, kw_only=True)
class ShownMetric:
    """A column of the table of baselines: its name, unit, and whether lower or higher is better."""

    name: str
    better: Better
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class BaselineRow:
    """One model's metrics in the order of the table; `ours` marks the network that the report is about."""

    name: str
    values: Sequence[NumberLike | None]
    model: Literal["ours", "baseline"] = "baseline"


@dataclass(frozen=True, kw_only=True)
class BaselinesSection:
    """The network beside simpler models on the same test rows, and what that means in a plain sentence."""

    metrics: Sequence[ShownMetric]
    rows: Sequence[BaselineRow]
    sentence: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row.values) != len(self.metrics):
                sizes = f"{len(row.values)} values for {len(self.metrics)} metrics"
                raise ShapeError(f"the baseline {row.name!r} has {sizes}; use None for what was not measured")


@dataclass(frozen=True, kw_only=True)
class ShownFinding:
    """One finding of the watch: symptom, one plain sentence, how severe, where, cause and evidence."""

    symptom: str
    sentence: str
    severity: Severity
    where: str = ""
    cause: str = ""
    evidence: str = ""


@dataclass(frozen=True, kw_only=True)
class Snippet:
    """A command or a piece of code that repeats what the report shows, under a short title."""

    title: str
    code: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """A further section around a ready drawing, or around text as it is, such as what was generated.

    `svg` must be safe markup, as the functions of `svg` return it.
    """

    title: str
    svg: str = ""
    caption: str = ""
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything on the page, in the order of reading. `findings=None`: the training was not watched.

    Example:
        >>> from evenkeel.page import Report, Sentence, render
        >>> report = Report(title="houses.csv: price", verdict=[Sentence(text="The network is sound.", tone="good")])
        >>> render(report).startswith("<!DOCTYPE html>")
        True
    """

    title: str
    verdict: Sequence[Sentence]
    subtitle: str = ""
    figures: Sequence[Figure] = ()
    data: DataSection | None = None
    plan: PlanSection | None = None
    curves: CurvesSection | None = None
    predictions: Comparison | None = None
    importance: ImportanceSection | None = None
    baselines: BaselinesSection | None = None
    findings: Sequence[ShownFinding] | None = None
    extra: Sequence[Section] = ()
    repeat: Sequence[Snippet] = ()
    created: str = ""
    version: str = ""
