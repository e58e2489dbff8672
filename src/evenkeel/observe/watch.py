"""Watch a training loop: `with ek.watch(model, optimizer) as watch:` around it, and nothing else changes.

Steps are learned from the optimizer's own hooks, losses from a wrapper around `torch.autograd.backward` that lives as
long as the `with`. At a *look* one step is measured: its chain on the live graph (by replay where the model is
compiled), and what the optimizer did to each weight. Between looks a reference to each loss is kept, and that is all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

from torch import Tensor, nn
from torch.optim import Optimizer

from evenkeel.chain import Chain
from evenkeel.errors import RequestError
from evenkeel.finding import Finding, Severity
from evenkeel.observe.hooks import installed
from evenkeel.observe.look import sharded
from evenkeel.observe.recorder import Recorder
from evenkeel.observe.schedule import DEFAULT_BUDGET, Budget, Schedule
from evenkeel.observe.step import StepWatch
from evenkeel.observe.subject import Subject
from evenkeel.symptoms import SEVERITIES, findings
from evenkeel.symptoms.history import History

FETCH = 64  # losses that may wait on the device
JUDGE_EVERY = 10  # a judgement each time the steps have grown by one in so many
MOST_NOTES = 32


def watch(
    model: nn.Module,
    optimizer: Optimizer | Sequence[Optimizer],
    *,
    budget: float = DEFAULT_BUDGET,
    every: int | None = None,
) -> Watch:
    """Watch the training of a model inside a `with` block.

    Args:
        model: any module; the weights it ends with are those that it would have had without the watch.
        optimizer: one, or all that train it.
        budget: share of the loop's time that looks may take; it decides how often to look.
        every: look at each so many steps instead, whatever it costs; 1 looks at every step.

    Returns:
        The watch: `.findings`, `.history`, `.chain` (of the last look), `.cost`; `.on_finding(callback)`.

    Raises:
        RequestError: what came is no module, no optimizer, or no sensible budget.

    Example:
        >>> import torch
        >>> model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
        >>> optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        >>> with watch(model, optimizer, every=5) as watched:
        ...     for _ in range(10):
        ...         loss = model(torch.randn(32, 4)).square().mean()
        ...         loss.backward()
        ...         optimizer.step()
        ...         optimizer.zero_grad()
        >>> [look.step for look in watched.history.looks]
        [1, 5, 10]
    """
    if not isinstance(model, nn.Module):
        raise RequestError(f"watch takes a torch.nn.Module and its optimizer, got {type(model).__name__} for the model")
    found = [optimizer] if isinstance(optimizer, Optimizer) else list(optimizer)
    if not found or not all(isinstance(one, Optimizer) for one in found):
        raise RequestError(f"watch takes a torch optimizer or a list of them, got {optimizer!r}")
    return Watch(model, found, Budget(budget, every))


class Watch:
    """A live watch; made by `watch`."""

    def __init__(self, model: nn.Module, optimizers: Sequence[Optimizer], budget: Schedule) -> None:
        self._model, self._optimizers, self._budget = model, list(optimizers), budget
        subject, self.record = Subject(model, optimizers), Recorder()
        self.record.describe(subject)
        self.notes: list[str] = []
        self._step = StepWatch(subject, budget, self.record, self.note)
        self._callbacks: list[Callable[[Finding], None]] = []
        self._findings: tuple[Finding, ...] = ()
        self._reported: dict[str, Severity] = {}
        self._judge_at, self._judging = 1, 0.0
        self._resources = ExitStack()
        if sharded(model) or isinstance(model, nn.parallel.DistributedDataParallel):
            budget.agree()

    def __enter__(self) -> Watch:
        """Start to watch."""
        self._budget.start()
        self._resources.enter_context(self._hooks())
        return self

    def __exit__(self, *problem: object) -> None:
        """Take every hook away, and judge the whole."""
        self._resources.close()
        self._step.close()
        self._update(ended=True)
        self._report()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What stands as of the last judgement, the gravest first."""
        return self._findings

    @property
    def history(self) -> History:
        """Everything seen so far, as a value."""
        with self._step.overhead:
            self.record.fetch(wait=True)
            self._step.collect(wait=True)
        return self.record.history()

    @property
    def chain(self) -> Chain | None:
        """The chain of the last look that measured one."""
        return self.history.chains[-1] if self.history.chains else None

    @property
    def cost(self) -> float:
        """The watch's own time as a share of the loop's, so far."""
        return self._budget.cost

    def on_finding(self, callback: Callable[[Finding], None]) -> None:
        """Call back with each finding when it is first made, and again when it becomes graver.

        What the callback raises is raised from the loop's optimizer step: a way to stop a training that is lost.
        """
        self._callbacks.append(callback)

    def loss(self, value: Tensor) -> Tensor:
        """Say what the loss of this step is, where `backward` is not called on it; gives it back."""
        self._step.report_loss(value)
        return value

    def note(self, text: str) -> None:
        """Keep what could not be done, the latest of it."""
        self.notes = [*self.notes[1 - MOST_NOTES :], text]

    def due(self) -> bool:
        """Whether the next step is one to look at; for a loop that asks, instead of one that is watched unasked."""
        step = self.record.step + 1
        return self._budget.due(step) or self._budget.brief(step)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """One step of a loop that asks: it is watched while the block runs."""
        with self._hooks():
            yield

    def passed(self, loss: Tensor) -> None:
        """One step of a loop that asks was made unwatched."""
        self._step.passed(loss)
        self._judge_when_due()

    def judge(self, *, ended: bool = False) -> tuple[Finding, ...]:
        """Judge what has been seen so far."""
        self._update(ended=ended)
        self._report()
        return self._findings

    def _hooks(self) -> AbstractContextManager[None]:
        """Events go to whoever follows the step; it is judged when a step has ended."""
        return installed(self._model, self._optimizers, self._step, self._judge_when_due)

    def _judge_when_due(self) -> None:
        """Judge at steps that grow by a tenth, as far as the budget goes; at once where a value was not finite."""
        step, urgent = self.record.step, self._step.urgent
        if step < self._judge_at and not urgent:
            if self.record.pending >= FETCH:
                with self._step.overhead:
                    self.record.fetch()
            return
        if not urgent and not self._budget.affords(self._judging):
            return
        self._step.urgent = False
        self._judge_at = step + max(1, step // JUDGE_EVERY)
        self._update()
        self._report()

    def _update(self, *, ended: bool = False) -> None:
        started = time.perf_counter()
        with self._step.overhead:
            self.record.fetch(ended=ended)
            self._step.collect(wait=ended)
            self._step.look_back()
            self._findings = findings(self.record.history(ended=ended))
        self._judging = time.perf_counter() - started
        self._budget.judged(self._judging)

    def _report(self) -> None:
        """Call back with what is new or graver."""
        for finding in self._findings:
            reported = self._reported.get(finding.symptom)
            if reported is None or SEVERITIES.index(finding.severity) < SEVERITIES.index(reported):
                self._reported[finding.symptom] = finding.severity
                for callback in self._callbacks:
                    callback(finding)
