"""The tools, each as its own documentation says to use it, with its documented defaults.

Every import is inside: what is not installed is told by `version`, and nothing else breaks.
"""

from __future__ import annotations

import atexit
import contextlib
import copy
import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench._peers.attach import Attach, Attachment, Heard, Said
from bench._specimens.setup import Severity, forward

LEVELS: dict[str, Severity] = {
    "INFO": "note",
    "WARN": "warning",
    "WARNING": "warning",
    "ERROR": "critical",
    "CRITICAL": "critical",
}
LOG_EVERY = 20
"""Steps in a line of the log that mldoct is given: ten lines in 200 steps, as of ten epochs."""


def version(package: str) -> str | None:
    """The installed version, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def torchmortem(heard: Heard) -> Attachment:
    """`with Autopsy(model, optimizer=optimizer) as autopsy:` and `autopsy.step(loss=loss.item())` behind each step."""
    from torchmortem import Autopsy  # pyright: ignore[reportMissingImports]

    autopsy = Autopsy(heard.model, optimizer=heard.optimizer)

    def verdict() -> list[Said]:
        atexit.unregister(autopsy._atexit_handler)  # or every model of a long run is kept
        report = autopsy.get_report()
        found = report.findings if report else []
        return [
            Said(name=_without_layer(f.title), severity=LEVELS[f.severity.name], step=f.step_range[0]) for f in found
        ]

    return Attachment(context=autopsy, after=lambda: autopsy.step(loss=heard.loss.item()), verdict=verdict)


def _without_layer(title: str) -> str:
    return title.split(" in ", maxsplit=1)[0]


def neuraldbg(heard: Heard) -> Attachment:
    """`with NeuralDbg(model) as dbg:` with `dbg.step` and `dbg.record_loss(loss.item())` behind each backward.

    Its verdicts are its events that end in another state than a healthy one: what its open edition says of causes
    (`explain_failure`) finds no event by the names that the documentation gives.
    """
    from neuraldbg import NeuralDbg  # pyright: ignore[reportMissingImports]

    watcher = NeuralDbg(heard.model)

    def before() -> None:
        watcher.record_loss(heard.loss.item())
        watcher.step = heard.step + 1

    def verdict() -> list[Said]:
        found = [(f"{e.event_type.value}: {getattr(e.to_state, 'value', e.to_state)}", e.step) for e in watcher.events]
        return [Said(name=name, step=step) for name, step in found if name.split(": ")[1] not in HEALTHY_STATES]

    return Attachment(context=watcher, before=before, verdict=verdict)


HEALTHY_STATES = ("healthy", "normal", "stable")


def arc(heard: Heard) -> Attachment:
    """`action = controller.step(loss)` between backward and step, and no step where it says so: it rolls back."""
    from arc import Controller  # pyright: ignore[reportMissingImports]

    controller = Controller(heard.model, heard.optimizer, verbose=False)
    said: list[Said] = []

    @contextmanager
    def guarded() -> Iterator[None]:
        own: Callable[..., Any] = heard.optimizer.step

        def step(*given: Any, **named: Any) -> Any:
            action = controller.step(heard.loss)
            if action.failure_type:
                said.append(Said(name=action.failure_type.split(" ")[0], severity="critical", step=heard.step))
            if action.unrecoverable:
                said.insert(0, Said(name="unrecoverable", severity="critical", step=heard.step))
            return None if action.should_skip else own(*given, **named)

        heard.optimizer.step = step
        try:
            yield
        finally:
            heard.optimizer.step = own

    return Attachment(context=guarded(), verdict=lambda: said)


def torch_audit(heard: Heard, every: int = 1) -> Attachment:
    """`autopatch(model, optimizer=optimizer, every_n_steps=...)`; the default of 1000 would see the first step only."""
    from torch_audit import autopatch  # pyright: ignore[reportMissingImports]

    auditors: list[Any] = []

    @contextmanager
    def patched() -> Iterator[None]:
        auditors.append(autopatch(heard.model, optimizer=heard.optimizer, every_n_steps=every))
        try:
            yield
        finally:
            auditors[0].unpatch()

    def verdict() -> list[Said]:
        found = auditors[0].finish().findings
        return [Said(name=f.rule_id, severity=LEVELS[f.severity.value], step=f.step) for f in found]

    return Attachment(context=patched(), verdict=verdict)


def model_clinic(heard: Heard) -> Attachment:
    """`ClinicMonitor(model)` with `monitor.step(step, loss=loss.item())`, and at the end `diagnose(state_dict)`."""
    from model_clinic import ClinicMonitor, diagnose  # pyright: ignore[reportMissingImports]

    monitor = ClinicMonitor(heard.model)

    def after() -> None:
        monitor.step(heard.step, loss=heard.loss.item())

    def verdict() -> list[Said]:
        monitor._remove_hooks()
        alerts = [Said(name=a.condition, severity=LEVELS[a.severity], step=a.step) for a in monitor.alerts()]
        found = diagnose({name: value.detach() for name, value in heard.model.state_dict().items()})
        return alerts + [Said(name=f.condition, severity=LEVELS[f.severity]) for f in found]

    return Attachment(after=after, verdict=verdict)


def torchdiag(heard: Heard) -> Attachment:
    """`verify_step` on a copy first; `check_gradients` and `check_dead_neurons` at the first step and at the last.

    Its verdicts are the lines that it prints as issues.
    """
    import torchdiag as package  # pyright: ignore[reportMissingImports]

    said: list[Said] = []
    inputs, target = heard.batches[0]
    last = {"gradients": ""}

    def issues(call: Callable[[], Any]) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            call()
        return printed.getvalue()

    def keep(printed: str, step: int) -> None:
        lines = [line.strip(" •") for line in printed.splitlines() if line.startswith("  • ")]
        said.extend(Said(name=name, step=step) for line in lines for name in ISSUES if name in line)

    def dead(step: int) -> None:
        if isinstance(inputs, Tensor):
            keep(issues(lambda: package.check_dead_neurons(heard.model, inputs)), step)

    def before() -> None:
        last["gradients"] = issues(lambda: package.check_gradients(heard.model))
        if heard.step == 0:
            keep(last["gradients"], 0)

    def verdict() -> list[Said]:
        keep(last["gradients"], heard.step)
        dead(heard.step)
        return said

    dead(0)
    if isinstance(inputs, Tensor):
        model, optimizer = copy.deepcopy((heard.model, heard.optimizer))
        keep(issues(lambda: package.verify_step(model, optimizer, heard.objective, inputs, target)), 0)
    return Attachment(before=before, verdict=verdict)


ISSUES = ("exploding", "vanishing", "gradient is None", "neurons dead", "not finite", "None gradients")
ISSUES += ("No parameters changed",)


def mldoct(heard: Heard) -> Attachment:
    """`mldoctor diagnose log.csv`: a log of training loss, validation loss and gradient norm, a line in 20 steps."""
    from mldoctor.advisor import diagnose_csv  # pyright: ignore[reportMissingImports]

    lines, losses, norms = ["epoch,train_loss,val_loss,grad_norm"], [], []

    def before() -> None:
        gradients = [p.grad.norm() for p in heard.model.parameters() if p.grad is not None]
        norms.append(float(torch.stack(gradients).norm()) if gradients else 0.0)

    def after() -> None:
        losses.append(heard.loss.item())
        if len(losses) % LOG_EVERY == 0:
            means = [sum(values[-LOG_EVERY:]) / LOG_EVERY for values in (losses, norms)]
            lines.append(f"{len(lines)},{means[0]},{_validation(heard)},{means[1]}")

    def verdict() -> list[Said]:
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log.csv"
            log.write_text("\n".join(lines))
            found = diagnose_csv(str(log))
        insights = [insight.split(":")[0].strip("*") for insight in found["insights"]]
        told = [] if found["label"] == "healthy" else [Said(name=str(found["label"]))]
        return told + [Said(name=name, severity="note") for name in insights if name != "Gradient Health"]

    return Attachment(before=before, after=after, verdict=verdict)


@torch.no_grad()
def _validation(heard: Heard) -> float:
    mode = heard.model.training
    heard.model.eval()
    values = [heard.objective(forward(heard.model, x).float(), y).item() for x, y in heard.validation]
    heard.model.train(mode)
    return sum(values) / len(values)


OBSERVERS: dict[str, Attach] = {
    "torchmortem": torchmortem,
    "neuraldbg": neuraldbg,
    "arc-training": arc,
    "model-clinic": model_clinic,
    "torch-audit": torch_audit,
    "torchdiag": torchdiag,
    "mldoct": mldoct,
}
