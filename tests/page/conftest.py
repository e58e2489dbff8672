"""Reports to draw: one of every kind of prediction, filled with small but lifelike data; and what a page must be."""

import dataclasses
import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from evenkeel import page as report
from evenkeel import svg

CHOICES = {"tone", "severity", "form", "better", "role", "model", "svg"}  # not free words


def data_section(**changes):
    columns = [
        report.ShownColumn(name="patient_id", kind="identifier", role="left out", note="every value is different"),
        report.ShownColumn(name="age", kind="number", missing=3, examples=["48", "61"]),
        report.ShownColumn(name="progression", kind="number", role="target"),
    ]
    parts = [report.Count(name="train", count=30), report.Count(name="test", count=10)]
    section = report.DataSection(
        source="diabetes.csv",
        parts=parts,
        split="at random, seed 0",
        target="progression",
        task="regression",
        reason="the target is a number",
        columns=columns,
        notes=[report.Sentence(text="A column was left out.", tone="bad")],
        unit="points",
        target_values=[25.5, 151.0, 75.2, 141.9, math.nan, 206.4],
    )
    return dataclasses.replace(section, **changes)


def curves_section(**changes):
    section = report.CurvesSection(
        loss="mse",
        training=report.Curve(name="training", updates=[0, 1, 2, 3], values=[2.0, 1.0, math.nan, 0.5]),
        validation=report.Curve(name="validation", updates=[0, 3], values=[1.9, 0.7]),
        metric=report.Curve(name="RMSE", updates=[0, 3], values=[1.4, 0.8]),
        learning_rate=report.Curve(name="learning rate", updates=[0, 3], values=[0.001, 0.0001]),
        best_update=3,
        seconds=3.21,
    )
    return dataclasses.replace(section, **changes)


def regression_section(rows=12, **changes):
    truth = np.linspace(50.0, 300.0, rows)
    prediction = truth + 20 * np.sin(np.arange(rows))
    section = report.RegressionSection(
        target="progression",
        unit="points",
        truth=truth,
        prediction=prediction,
        lower=prediction - 18,
        upper=prediction + 18,
        pit=(np.arange(rows) + 0.5) / rows,
    )
    return dataclasses.replace(section, **changes)


def reliability():
    return report.Reliability(confidence=[0.3, 0.6, 0.9], accuracy=[0.35, math.nan, 0.85], count=[4, 0, 16])


def classes_section(classes=3):
    confusion = 9 * np.eye(classes, dtype=int) + np.eye(classes, k=1, dtype=int)
    names = [f"class {index}" for index in range(classes)]
    return report.ClassesSection(names=names, confusion=confusion, reliability=reliability())


def labels_section(labels=3):
    scores = [
        report.LabelScore(name=f"label {i}", base_rate=0.2, precision=0.8, recall=0.7, f1=0.75 - 0.01 * i, auc=0.9)
        for i in range(labels)
    ]
    return report.LabelsSection(labels=[*scores, report.LabelScore(name="never", base_rate=0.0)])


def plan_section():
    return report.PlanSection(
        task="regression",
        net="MLP",
        head="Value",
        loss="mse",
        parameters=1234,
        layers=[report.ShownLayer(name="input", shape="64", parameters=1234)],
        settings=[report.ShownSetting(name="optimizer", value="AdamW", reason="robust")],
    )


def baselines_section():
    metrics = [
        report.ShownMetric(name="RMSE", better="lower", unit="points"),
        report.ShownMetric(name="R²", better="higher"),
    ]
    rows = [
        report.BaselineRow(name="this network", values=[58.3, 0.334], model="ours"),
        report.BaselineRow(name="linear regression", values=[55.7, None]),
    ]
    return report.BaselinesSection(metrics=metrics, rows=rows, sentence="Linear regression is a little better.")


def importance_section(columns=3):
    rows = [report.ColumnImportance(name=f"column {i}", drop=2.0 / (i + 1), spread=0.1) for i in range(columns)]
    return report.ImportanceSection(metric="RMSE", unit="points", repeats=10, columns=rows)


def findings():
    return [
        report.ShownFinding(symptom="overfitting", sentence="It learns by heart.", severity="note"),
        report.ShownFinding(
            symptom="dead-units",
            sentence="Many units are dead.",
            severity="critical",
            where="block 1",
            cause="learning-rate",
            evidence="64 % zeros",
        ),
    ]


def whole(predictions):
    return report.Report(
        title="diabetes.csv: progression",
        subtitle="A small example.",
        verdict=[report.Sentence(text="It works.", tone="good"), report.Sentence(text="Mind the data.", tone="bad")],
        figures=[
            report.Figure(name="RMSE", value=58.29, unit="points", explanation="typical error"),
            report.Figure(name="coverage", value=0.887, form="percent"),
        ],
        data=data_section(),
        plan=plan_section(),
        curves=curves_section(),
        predictions=predictions,
        importance=importance_section(),
        baselines=baselines_section(),
        findings=findings(),
        extra=[report.Section(title="The chain", svg=svg.nothing("chain"), caption="Link by link.")],
        repeat=[report.Snippet(title="In a terminal", code="evenkeel train diabetes.csv --target progression")],
        created="2026-01-02 03:04",
        version="evenkeel 0.1.0",
    )


MAKERS = {
    "regression": lambda: whole(regression_section()),
    "classes": lambda: whole(classes_section()),
    "many classes": lambda: whole(classes_section(100)),
    "labels": lambda: whole(labels_section(30)),
    "no predictions": lambda: whole(None),
    "bare": lambda: report.Report(title="nothing yet", verdict=[]),
}


@pytest.fixture(params=MAKERS)
def example(request):
    """A whole report of every kind, one after the other."""
    return MAKERS[request.param]()


@pytest.fixture
def make():
    """The makers of the sections, for tests of one section."""
    return {name: maker for name, maker in globals().items() if name.endswith(("_section", "findings", "whole"))}


def spoil(record, words):
    """The same record with every free word in it replaced."""
    if dataclasses.is_dataclass(record):
        fields = {one.name: getattr(record, one.name) for one in dataclasses.fields(record)}
        return type(record)(**{n: v if n in CHOICES else spoil(v, words) for n, v in fields.items()})
    if isinstance(record, str):
        return words if record else ""
    return [spoil(one, words) for one in record] if isinstance(record, list | tuple) else record


@pytest.fixture
def spoiled():
    """A function that replaces every free word of a record."""
    return spoil


def check_page(page):
    """The laws of a page: well-formed, without scripts, addresses or the word nan. Returns the parsed root."""
    root = ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
    attributes = [(name, value) for node in root.iter() for name, value in node.attrib.items()]
    tags = {re.sub(r"{.*}", "", node.tag) for node in root.iter()}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "use"}
    assert not [name for name, _ in attributes if name.startswith("on") or name.endswith("src")]
    # Pictures stand in the page itself; nothing else may point anywhere.
    drawn = [node.get("href", "") for node in root.iter() if node.tag.endswith("image")]
    assert all(value.startswith("data:image/png;base64,") for value in drawn)
    assert all(value.startswith("#") or value in drawn for name, value in attributes if name.endswith("href"))
    assert not re.search(r"url\(|@import|expression\(", "".join(node.text or "" for node in root.iter("style")))
    assert not [value for name, value in attributes if re.search(r"\b(nan|NaN|inf|None)\b", value)]
    anchors = {node.get("id") for node in root.iter("section")}
    assert {value.removeprefix("#") for name, value in attributes if name == "href" and value not in drawn} <= anchors
    return root


@pytest.fixture
def sound():
    """A function that checks the laws of a page and returns its parsed root."""
    return check_page


@pytest.fixture
def said():
    """A function that gives the words of a piece of markup."""
    return lambda markup: " ".join("".join(ElementTree.fromstring(f"<x>{markup}</x>").itertext()).split())
