"""A package of toy parts beside ours, laid out as an installer would, so that entry points show it."""

from pathlib import Path

LOSS = '''
"""Squared error times a number."""

import torch

from evenkeel.losses.base import Example, Loss
from evenkeel.losses.fit_shapes import share
from evenkeel.losses.module import module_form
from evenkeel.losses.number import PlainNumber
from evenkeel.losses.precision import widen
from evenkeel.losses.reduce import reduce
from evenkeel.shapes import Float, Reduction, Tensor


def toy_loss(
    prediction: Float[Tensor, "*output"],
    target: Float[Tensor, "*shared"],
    *,
    toy_factor: PlainNumber = 1.0,
    reduction: Reduction = "mean",
) -> Tensor:
    """Squared error times `toy_factor`; the mean is over all elements."""
    prediction = widen(prediction)
    return reduce(toy_factor * (prediction - share(target.to(prediction), prediction.shape)) ** 2, reduction)


ToyLossLoss = module_form(toy_loss)


def _example(batch: int, generator: torch.Generator, dtype: torch.dtype) -> Example:
    prediction, target = torch.randn(2, batch, 2, generator=generator, dtype=torch.float64).to(dtype)
    return Example(output=(prediction,), target=(target,), options={"toy_factor": 3.0})


TOY_LOSS = Loss(
    name="toy_loss", summary="a toy among the losses", source="a toy shop", call=toy_loss, expects=("value",),
    example=_example, each="element", ensemble="mean output",
)
'''
TEST_OF_LOSS = """
def plain(prediction, target, toy_factor=1.0):
    return toy_factor * (prediction - target) ** 2
"""
NET = '''
"""One wide layer, times a number."""

from evenkeel.nets.base import Net
from evenkeel.nets.mlp import MLP


class ToyNet(MLP):
    """A multilayer perceptron whose features are multiplied by `toy_gain`."""

    def __init__(self, numbers, *, toy_gain=1.0, **options):
        super().__init__(numbers, **options)
        self.toy_gain = toy_gain

    def forward(self, numbers, categories=None):
        return self.toy_gain * super().forward(numbers, categories)


TOY_NET = Net(name="toy_net", summary="a toy among the nets", source="a toy shop", call=ToyNet, reads=("table",))
'''
METRIC = '''
"""Largest error."""

from evenkeel.metrics.base import Metric
from evenkeel.metrics.examples import values
from evenkeel.metrics.gather import mean, pair


def toy_metric(prediction, target, weight=None):
    """The mean of the fourth powers of the errors."""
    predicted, true = pair(prediction, target)
    return mean((predicted - true) ** 4, weight)


TOY_METRIC = Metric(
    name="toy_metric", summary="a toy among the metrics", source="a toy shop", call=toy_metric, expects=("value",),
    better="lower", example=values, explanation="a toy explanation", tasks=("regression",),
)
'''
TEST_OF_METRIC = """
def plain(prediction, target):
    return float(((prediction - target) ** 4).mean())
"""
HEAD = '''
"""A number whose output is multiplied by an option."""

from evenkeel.heads.base import HeadPart
from evenkeel.heads.value import Value


class ToyHead(Value):
    """The mean of the target, with an option of its own."""

    task = "toy-regression"

    def __init__(self, features, *, toy_shift=0.0, members=None, loss=None, options=None):
        super().__init__(features, members=members, loss=loss, options=options)
        self.toy_shift = toy_shift

    def predict(self, output):
        return super().predict(output) + self.toy_shift


TOY_HEAD = HeadPart(
    name="toy_head", summary="a toy among the heads", source="a toy shop", call=ToyHead, target="number",
    metrics=("toy_metric", "rmse"),
)
'''
NAMED_HEAD = '''
"""The mean of a number, plus an option: another answer to a task that has its head."""

from evenkeel.heads.base import HeadPart
from evenkeel.heads.value import Value


class ToyNamed(Value):
    """The mean of the target, moved."""

    def __init__(self, features, *, toy_move=0.0, members=None, loss=None, options=None):
        super().__init__(features, members=members, loss=loss, options=options)
        self.toy_move = toy_move

    def predict(self, output):
        return super().predict(output) + self.toy_move


TOY_NAMED = HeadPart(
    name="a_toy_named", summary="a toy among the heads of a task", source="a toy shop", call=ToyNamed, target="number",
    metrics=("rmse",), chosen="by-name",
)
'''
TEST_OF_HEAD = """
from heads import test_value


def base_rate(loss, target):
    return test_value.base_rate(loss, target)
"""
SYMPTOM = '''
"""A symptom that everybody has who was looked at."""

from evenkeel.finding import Finding
from evenkeel.symptoms.base import SymptomPart


def toy_symptom(history):
    """One note about the number of steps."""
    steps = float(history.steps)
    told = Finding(
        symptom="toy-symptom", where="training", severity="note", sentence=f"The toy ran {history.steps} steps.",
        evidence={"steps": steps},
    )
    return (told,) if history.steps else ()


TOY_SYMPTOM = SymptomPart(
    name="toy-symptom", summary="a toy among the symptoms", source="a toy shop", symptom="toy-symptom",
    call=toy_symptom, causes=(), reads="course",
)
'''
KIND = '''
"""Tables under another name: values with the mark of a toy."""

import dataclasses

from evenkeel.kinds.table import TABLE


class ToyTable:
    """A data frame that says it is a toy."""

    def __init__(self, frame):
        self.frame = frame


def prepare_toy(data, asked):
    """As a table is prepared."""
    return TABLE.prepare(data.frame, asked)


TOY_KIND = dataclasses.replace(
    TABLE, name="toy_kind", summary="a toy among the kinds of data", source="a toy shop",
    recognises=lambda data: isinstance(data, ToyTable), rank=1, prepare=prepare_toy,
)
'''
SOURCES = {
    "losses": ("toy_loss", LOSS),
    "nets": ("toy_net", NET),
    "metrics": ("toy_metric", METRIC),
    "heads": ("toy_head", HEAD),
    "heads.named": ("a_toy_named", NAMED_HEAD),
    "symptoms": ("toy_symptom", SYMPTOM),
    "kinds": ("toy_kind/kind", KIND),
}
TESTS = {"losses": TEST_OF_LOSS, "metrics": TEST_OF_METRIC, "heads": TEST_OF_HEAD, "heads.named": TEST_OF_HEAD}


def install(folder: Path) -> Path:
    """Lay the package `toy_shop`, its description and the tests of its parts into a folder for `sys.path`."""
    shop, metadata = folder / "toy_shop", folder / "toy_shop-1.0.dist-info"
    metadata.mkdir(parents=True)
    points = []
    for group, (name, text) in SOURCES.items():
        path = shop / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip())
        points.append(f"{group} = toy_shop.{name.partition('/')[0]}")
    (shop / "__init__.py").write_text("")
    (shop / "toy_kind" / "__init__.py").write_text("from toy_shop.toy_kind.kind import TOY_KIND as TOY_KIND\n")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-shop\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[evenkeel.parts]\n" + "\n".join(points) + "\n")
    for group, text in TESTS.items():
        tests = folder / group.partition(".")[0]
        tests.mkdir(exist_ok=True)
        (tests / f"test_{SOURCES[group][0]}.py").write_text(text)
    return folder
