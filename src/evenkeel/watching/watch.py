"""Watch a training loop: `with ek.watch(model, optimizer) as watch:` around it, and nothing else changes.

Steps are learned from the optimizer's own hooks, losses from a wrapper around `torch.autograd.backward` that lives as
long as the `with`. At a *look* one step is measured: its chain on the live graph (by replay where the model is
compiled), and what the optimizer did to each weight. Between looks a reference to each loss is kept, and that is all.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from evenkeel.chain import Chain
from evenkeel.chain.batch import batch_length
from evenkeel.chain.live import random_states
from evenkeel.errors import RequestError
from evenkeel.finding import Finding
from evenkeel.symptoms import findings
from evenkeel.symptoms._history import History, NonFinite
from evenkeel.watching.budget import DEFAULT_BUDGET, Budget, Schedule
from evenkeel.watching.culprit import find_culprit
from evenkeel.watching.hooks import installed
from evenkeel.watching.probe import Probe
from evenkeel.watching.record import Record
from evenkeel.watching.weights import optimizer_kind

FETCH = 64  # steps between two looks at the losses alone


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
        self.record = Record(optimizer_kind(optimizers), _outside(model, optimizers))
        self.notes: list[str] = []
        self._probe: Probe | None = None
        self._arguments: tuple[tuple[Any, ...], Mapping[str, Any]] | None = None
        self._states: list[Tensor] = []
        self._stepped = False
        self._told_loss: Tensor | None = None
        self._callbacks: list[Callable[[Finding], None]] = []
        self._findings: tuple[Finding, ...] = ()
        self._told: dict[str, str] = {}
        self._resources = ExitStack()

    def __enter__(self) -> Watch:
        """Start to watch."""
        self._budget.start()
        self._resources.enter_context(installed(self._model, self._optimizers, self))
        return self

    def __exit__(self, *problem: object) -> None:
        """Take every hook away, and judge the whole."""
        self._resources.close()
        self._drop_probe()
        self._arguments = None
        self.judge(ended=True)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What stands as of the last look, the gravest first."""
        return self._findings

    @property
    def history(self) -> History:
        """Everything seen so far, as a value."""
        self.record.fetch()
        return self.record.history()

    @property
    def chain(self) -> Chain | None:
        """The chain of the last look that measured one."""
        return next((look.chain for look in reversed(self.record.looks) if look.chain is not None), None)

    @property
    def cost(self) -> float:
        """The watch's own time as a share of the loop's, so far."""
        return self._budget.cost

    def on_finding(self, callback: Callable[[Finding], None]) -> None:
        """Call back with each finding when it is first made, and again when it becomes graver."""
        self._callbacks.append(callback)

    def loss(self, value: Tensor) -> Tensor:
        """Say what the loss of this step is, where `backward` is not called on it; gives it back."""
        self._told_loss = value
        self.record.note_loss(self.record.step + 1, value)
        return value

    def due(self) -> bool:
        """Whether the next step is one to look at; for a loop that asks, instead of one that is watched unasked."""
        return self._budget.due(self.record.step + 1)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """One step of a loop that asks: it is watched while the block runs."""
        with installed(self._model, self._optimizers, self):
            yield

    def passed(self, loss: Tensor) -> None:
        """One step of a loop that asks was made unwatched."""
        self.record.note_loss(self.record.step + 1, loss)
        self._advance()

    def judge(self, *, ended: bool = False) -> tuple[Finding, ...]:
        """Judge what has been seen so far."""
        self.record.fetch()
        self._findings = findings(self.record.history(ended=ended))
        for finding in self._findings:
            if self._told.get(finding.symptom) != finding.severity:
                self._told[finding.symptom] = finding.severity
                for callback in self._callbacks:
                    callback(finding)
        return self._findings

    def forward_begins(self, positional: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        """The model is called."""
        self._arguments = positional, named
        self._states = random_states()
        if self._probe is None and self.due():
            self._probe = Probe(self._model, self._optimizers)
        if self._probe is not None and not self._probe.measured:
            with self._safely():
                self._probe.enter((positional, named))

    def forward_ends(self, output: Any) -> None:
        """It returned."""
        if self._probe is not None and not self._probe.measured:
            with self._safely():
                self._probe.leave(output)

    def backward_begins(self, loss: Tensor, original: Tensor, unit: Tensor | None) -> None:
        """The loss of this step, or a part of it."""
        self._stepped = False
        if self._told_loss is None:
            self.record.note_loss(self.record.step + 1, original)
        if self.record.non_finite is None and loss.device.type == "cpu" and not math.isfinite(float(original.detach())):
            self._locate(original)
        if self._probe is not None and not self._probe.measured:
            with self._safely():
                self._probe.attach(loss, 1.0 if unit is None else float(unit))

    def backward_ends(self) -> None:
        """All gradients are there."""
        self._told_loss = None
        if self._probe is not None and not self._probe.measured:
            with self._safely():
                self._probe.measure()

    def step_begins(self, optimizer: Optimizer) -> None:
        """Weights are about to change."""
        self._stepped = True
        if self._probe is not None:
            with self._safely():
                self._probe.step_begins(optimizer)

    def step_ends(self, optimizer: Optimizer) -> None:
        """Weights have changed; the first optimizer counts the steps."""
        if self._probe is not None:
            with self._safely():
                self._probe.step_ends()
        if optimizer is self._optimizers[0]:
            self._advance()

    def scaler_stepped(self) -> None:
        """A scaler stepped, or left it out: then gradients overflowed, and nothing else tells."""
        if not self._stepped:
            self.record.skipped += 1
            self._advance()
        self._stepped = False

    def _advance(self) -> None:
        """One step is over."""
        record = self.record
        record.step += 1
        if self._arguments is not None:
            length = batch_length(self._arguments)
            record.sizes.extend([] if length is None else [length])
        if self._probe is not None:
            with self._safely():
                record.fetch()
                record.look(self._probe.look(record.step, next((p.loss for p in reversed(record.losses)), None)))
                self.judge()
            self._budget.looked(record.step)
            self._drop_probe()
        elif record.pending >= FETCH:
            with self._safely():
                self.judge()

    def _locate(self, loss: Tensor) -> None:
        """A loss that is not finite, seen before it reached the weights: replay the batch and name the producer."""
        with self._safely():
            found = None if self._arguments is None else find_culprit(self._model, self._arguments, self._states, loss)
            step = self.record.step + 1
            self.record.non_finite = NonFinite(
                step=step,
                where="the loss" if found is None else found.where,
                operation="unknown" if found is None else found.operation,
                direction="forward" if found is None else found.direction,
                replayed=found is not None,
            )

    @contextmanager
    def _safely(self) -> Iterator[None]:
        """Account for the time; a look that fails is left out and noted: the loop itself must go on."""
        started = time.perf_counter()
        try:
            yield
        except Exception as problem:  # whatever a strange model does to us is no reason to stop its training
            self._drop_probe()
            said = next(iter(str(problem).splitlines()), "")
            note = f"step {self.record.step + 1}: could not look: {type(problem).__name__}: {said}"
            self.notes = [*self.notes[-31:], note]
        finally:
            self._budget.charge(time.perf_counter() - started)

    def _drop_probe(self) -> None:
        if self._probe is not None:
            self._probe.drop()
            self._probe = None


def _outside(model: nn.Module, optimizers: Sequence[Optimizer]) -> tuple[str, ...]:
    """Trainable parameters that no optimizer holds."""
    held = {id(parameter) for one in optimizers for group in one.param_groups for parameter in group["params"]}
    return tuple(
        name for name, parameter in model.named_parameters() if parameter.requires_grad and id(parameter) not in held
    )
