"""The examination of one tool on one set-up: what it found, how grave, which cause, when, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

from bench._specimens.setup import Case, Row, SetUp, Severity

STEPS = 200
"""How many steps a tool that looks on is shown."""
SEVERITIES = ("note", "warning", "critical")


@dataclass(frozen=True, kw_only=True)
class Found:
    """One finding of a tool, in the words of the examination."""

    symptom: str
    severity: Severity
    causes: tuple[str, ...] = ()
    step: int | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """All that a tool found, in its order; an alarm is a finding above a note."""

    findings: tuple[Found, ...]
    seconds: float

    def symptoms(self, least: Severity = "warning") -> list[str]:
        """The symptoms at least this grave."""
        return [found.symptom for found in self._grave(least)]

    def causes(self, least: Severity = "warning") -> list[str]:
        """The causes named, in the order of the findings."""
        return [cause for found in self._grave(least) for cause in found.causes]

    @property
    def first_step(self) -> int | None:
        """The step of the first finding whose step is known."""
        return min((found.step for found in self.findings if found.step is not None), default=None)

    def _grave(self, least: Severity) -> list[Found]:
        bar = SEVERITIES.index(least)
        return [found for found in self.findings if SEVERITIES.index(found.severity) >= bar]


Tool = Callable[[SetUp, Case, int], list[Found]]


def examine(setup: SetUp, seed: int, tool: Tool) -> Verdict:
    """Build the set-up and show it to the tool."""
    case = setup.build(seed)
    torch.manual_seed(seed)
    start = time.perf_counter()
    findings = tuple(tool(setup, case, seed))
    return Verdict(findings=findings, seconds=time.perf_counter() - start)


def hits(row: Row, verdict: Verdict) -> bool:
    """Whether an accepted symptom was found."""
    return bool(row.symptoms & set(verdict.symptoms(row.least)))


def right_cause(row: Row, verdict: Verdict) -> bool:
    """Whether the cause named first is an accepted one."""
    return bool(row.causes & set(verdict.causes(row.least)[:1]))


def checkup_tool(setup: SetUp, case: Case, seed: int) -> list[Found]:
    """Evenkeel's checkup, or its watch where only the owner's loop shows the fault."""
    if setup.entry == "watch":
        return watch_tool(setup, case, seed)
    import evenkeel as ek

    checkup: Any = ek.checkup  # pyright: ignore[reportAttributeAccessIssue]
    parts = (case.setup.model, case.setup.loss, case.setup.batches)
    found = checkup(*parts, optimizer=case.optimizer, validation=case.setup.validation, seed=seed)
    return [found_of(finding) for finding in found.findings]


def watch_tool(setup: SetUp, case: Case, seed: int) -> list[Found]:
    """Evenkeel's watch around the owner's loop."""
    import evenkeel as ek

    watch: Any = ek.watch(case.setup.model, case.optimizer)  # pyright: ignore[reportAttributeAccessIssue]
    setup.loop(case, STEPS, watch)
    return [found_of(finding) for finding in watch.findings]


def found_of(finding: Any) -> Found:
    """A finding of evenkeel in the words of the examination."""
    cause = getattr(finding, "cause", None)
    causes = () if cause is None else (cause,) if isinstance(cause, str) else tuple(cause)
    step = finding.evidence.get("step")
    step = None if step is None else int(step)
    return Found(symptom=finding.symptom, severity=finding.severity, causes=causes, step=step)


class GradientRecord:
    """At each step of an optimizer: norms of the first and last weight gradient, and the share of exact zeros."""

    def __init__(self, case: Case) -> None:
        self.case, self.first, self.last, self.zeros = case, [], [], []

    def __enter__(self) -> GradientRecord:
        self.hook = self.case.optimizer.register_step_pre_hook(self.look)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.hook.remove()

    def look(self, *_: Any) -> None:
        """Before a step."""
        gradients = [weight.grad for weight in self.case.setup.model.parameters() if weight.dim() > 1]
        given: list[Tensor] = [gradient.float() for gradient in gradients if gradient is not None]
        if given:
            self.first.append(float(given[0].norm()))
            self.last.append(float(given[-1].norm()))
            count = sum(gradient.numel() for gradient in given)
            self.zeros.append(sum(int((gradient == 0).sum()) for gradient in given) / count)


def three_constants(setup: SetUp, case: Case, seed: int) -> list[Found]:
    """The baseline: three thresholds on weight gradients, each crossed in half of the steps or more."""
    record = GradientRecord(case)
    setup.loop(case, STEPS, record)
    first, last, zeros = (torch.tensor(values) for values in (record.first, record.last, record.zeros))
    finite = first.isfinite() & last.isfinite()
    # The published rule for vanishing is first / last < 1e-3; for exploding, the same ratio above 70.
    crossed = {
        "vanishing-gradient": (first < 1e-3 * last) & (first < 1e-4),
        "exploding-gradient": (first > 70 * last) & (last > 0) | ~finite,
        "non-finite": ~finite,
        "dead-units": zeros >= 0.7,
    }
    steps = {symptom: where.nonzero().flatten().tolist() for symptom, where in crossed.items()}
    often = {symptom: at for symptom, at in steps.items() if at and len(at) >= len(first) / 2}
    return [Found(symptom=symptom, severity="warning", step=at[0]) for symptom, at in often.items()]


TOOLS: dict[str, Tool] = {"checkup": checkup_tool, "watch": watch_tool, "three-constants": three_constants}
