"""The training loop: order of the rows, looks at the validation part, early stopping, the weights that are kept.

All state is explicit. The position in the data follows from the number of updates, the order of an epoch is a function
of (seed, epoch), and everything else is in `LoopState`; with weights, optimizer state and random state that is a
checkpoint. Data that fits in memory is a tensor a field, and a batch is an index into it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from pydantic import BaseModel, ConfigDict

from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import pick, placed
from evenkeel.errors import TrainingError
from evenkeel.network import Network
from evenkeel.observe.watch import Watch
from evenkeel.plan import Plan
from evenkeel.shapes import Float, Int, Tensor
from evenkeel.train.evaluate import mean_loss
from evenkeel.train.optimizers import build_optimizer, rate_share, set_rate
from evenkeel.train.step import StepResult, TrainingStep
from evenkeel.train.threads import largest_product, threads_worth

# An improvement smaller than this share of the loss does not renew patience, so that noise cannot prolong training.
LEAST_GAIN = 1e-4
LEAST_PATIENCE = 50  # updates: what a short budget would save is less than what a plateau at its start costs
ROWS_LOOKED_AT = 20_000  # a mean loss is known to 1/140 of its scatter, and a look costs no more than its share of time


class Look(BaseModel):
    """One look at the training: means since the last look, and the loss on the validation part if there is one.

    Means are over the steps that were finite, None where none was. `seconds` since the start; `rate` is the learning
    rate; `skipped` counts non-finite steps so far. `update_ratio` is how far a step moves the weights, as a share of
    them; `surprise` the largest rms of g²/v since the last look: above 1, Adam under-estimates what comes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    update: int
    samples: int
    seconds: float
    rate: float
    train_loss: float | None
    gradient_norm: float | None
    validation_loss: float | None
    skipped: int
    update_ratio: float | None = None
    surprise: float | None = None


@dataclass
class LoopState:
    """Everything that a continued run needs besides weights, optimizer state and random state.

    `start_loss` is the validation loss before the first update, `renewed` the update of the last improvement worth
    the name; `ended` says why training is over.
    """

    update: int = 0
    samples: int = 0
    seconds: float = 0.0
    start_loss: float | None = None
    best_loss: float | None = None
    best_update: int = 0
    renewed: int = 0
    skipped: int = 0
    looks: list[Look] = field(default_factory=list)
    ended: str = ""


@dataclass(frozen=True, kw_only=True)
class Watchers:
    """Callbacks: `step` after every update, `look` after every look; `stop` returns a reason to end, or ''."""

    step: Callable[[LoopState], None] = lambda state: None
    look: Callable[[Look], None] = lambda look: None
    stop: Callable[[], str] = lambda: ""


def epoch_order(
    rows: Int[Tensor, "row"], seed: int, epoch: int, alike: Int[Tensor, "row"] | None = None
) -> Int[Tensor, "place"]:
    """The rows of one epoch in an order that depends on (seed, epoch) alone; of those `alike`, one row of each."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    order = torch.randperm(len(rows), generator=generator)
    if alike is not None:
        numbers, places = alike[order].sort(stable=True)
        first = torch.cat([torch.ones(1, dtype=torch.bool), numbers.diff() != 0])
        order = order[places[first].sort().values]
    return rows[order]


def batches_an_epoch(rows: int, batch_size: int) -> int:
    """Batches of nearly equal size, so that no last one is a handful of rows."""
    return max(1, round(rows / batch_size))


def spread(rows: Int[Tensor, "all"], most: int) -> Int[Tensor, "some"]:
    """As many rows at equal distances, first and last among them; all where there are no more than `most`."""
    return rows if len(rows) <= most else rows[torch.linspace(0, len(rows) - 1, most, dtype=torch.float64).long()]


class Loop:
    """Training in progress: call `run`, look at `state`; `best` holds the weights of the best look.

    `recent` are the steps since the last look, `random` the state of the generator that dropout draws from. `watch`
    decides at each step whether to look at its chain, if there is one.

    Args:
        network: trained in place.
        data: its training rows train, its validation rows (20,000 of them at most) decide when to stop.
        plan: budget, batch size, rates.
        device: where the network and the data are put.
    """

    def __init__(self, network: Network, data: Dataset, plan: Plan, *, device: torch.device) -> None:
        self.network, self.data, self.plan, self.device = network.to(device), data, plan, device
        fixed = all(isinstance(field, Tensor) for field in (*data.inputs.values(), data.target))
        self.step = TrainingStep(
            network, build_optimizer(network, plan), plan.clip, shapes="fixed" if fixed else "varying"
        )
        self.state = LoopState()
        self.best: dict[str, Tensor] = {}
        self.rows = torch.from_numpy(data.split.train)
        self.held = spread(torch.from_numpy(data.split.validation), ROWS_LOOKED_AT)
        self._alike = None if data.alike is None else data.alike[self.rows]
        self._drawn = len(self.rows) if self._alike is None else len(self._alike.unique())
        self.inputs = {name: placed(value, device) for name, value in data.inputs.items()}
        self.target = data.target.to(device)
        self.weight = None if data.weight is None else data.weight.to(device)
        self.random = (
            torch.Generator(device="cuda" if device.type == "cuda" else "cpu").manual_seed(plan.seed).get_state()
        )
        self.recent: list[StepResult] = []
        self.watch: Watch | None = None
        self._epoch, self._order = -1, ()

    def run(self, watchers: Watchers) -> LoopState:
        """Train until the budget, the patience or the time limit is used up, or somebody asks to stop.

        Raises:
            TrainingError: no step was finite, so nothing was learned.
        """
        state, before = self.state, self.state.seconds
        started = time.monotonic()
        every = max(1, self.plan.updates // self.plan.evaluations)
        if state.update == 0:
            state.start_loss = self._validation_loss()
        self.network.train()
        devices = [self.device] if self.device.type == "cuda" else []
        product = largest_product(self.network, self.inputs.values(), self.plan.batch_size)
        with torch.random.fork_rng(devices=devices), threads_worth(product, self.device):
            _set_random(self.device, self.random)
            state.ended = self._over() if state.update else ""  # a restored loop may have been at its end
            while not state.ended:
                rate = self.plan.learning_rate * rate_share(self._progress(), self.plan.warmup)
                set_rate(self.step.optimizer, rate)
                self.recent.append(self._update(*self._batch(self._next_rows())))
                state.update += 1
                state.seconds = before + time.monotonic() - started
                if state.update % every == 0:
                    watchers.look(self._look())
                state.ended = self._over()
                if state.ended and self.recent:
                    watchers.look(self._look())
                # Stopping from outside takes no look: a continued run must not differ from an uninterrupted one.
                state.ended = state.ended or watchers.stop()
                watchers.step(state)
            self.random = _random_of(self.device)
        if state.skipped == state.update:
            raise TrainingError(
                f"none of {state.update} steps had a finite gradient; look for values that overflow float32 in the "
                "data, or try a smaller learning_rate"
            )
        return state

    def _update(self, inputs: Mapping[str, Tensor], target: Tensor, weight: Tensor | None) -> StepResult:
        """One step; where a look is due it is made by autograd, with the same weights to the bit."""
        if self.watch is None:
            return self.step(inputs, target, weight)
        if self.watch.due():
            with self.watch.looking():
                return self.step(inputs, target, weight, backward=torch.Tensor.backward)
        result = self.step(inputs, target, weight)
        self.watch.passed(result.loss)
        return result

    def keep_best(self) -> None:
        """Give the network the weights of the best look; without validation rows it keeps its last.

        Where training was stopped between two looks, what was learned since the last one is judged first.
        """
        if self.recent:
            self._look()
        if self.best and self.plan.keep == "best":
            self.network.load_state_dict(self.best)

    def _progress(self) -> float:
        """Share of the budget that is used: of updates, or of time where that runs out sooner."""
        by_updates = self.state.update / self.plan.updates
        return max(by_updates, self.state.seconds / self.plan.time_limit) if self.plan.time_limit else by_updates

    def _next_rows(self) -> Int[Tensor, "batch"]:
        """Rows of the next batch; a function of the seed and the number of updates."""
        count = batches_an_epoch(self._drawn, self.plan.batch_size)
        epoch, index = divmod(self.state.update, count)
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = epoch_order(self.rows, self.plan.seed, epoch, self._alike).tensor_split(count)
        return self._order[index]

    def _batch(self, rows: Int[Tensor, "batch"]) -> tuple[Mapping[str, Tensor], Tensor, Tensor | None]:
        """Inputs, target and weight of some rows."""
        self.state.samples += len(rows)
        rows = rows.to(self.device)
        inputs: Mapping[str, Tensor] = pick(self.inputs, rows)
        if self.data.augment is not None:
            inputs = self.data.augment(inputs, rows, self._epoch)
        weight = None if self.weight is None else self.weight.index_select(0, rows)
        return inputs, self.target.index_select(0, rows), weight

    def _over(self) -> str:
        """The reason why training ends now, or an empty string."""
        state, plan = self.state, self.plan
        if state.update >= plan.updates:
            return "budget"
        if plan.time_limit and state.seconds >= plan.time_limit:
            return "time limit"
        patience = max(plan.patience * plan.updates, LEAST_PATIENCE)
        if plan.keep == "best" and len(self.held) and state.update - state.renewed >= patience:
            return "no improvement"
        return ""

    def _look(self) -> Look:
        """Fetch what the steps measured since the last look, measure the validation part, and judge it."""
        recent, self.recent = self.recent, []
        loss, norm, skipped, ratio, surprise = torch.stack([step.row() for step in recent]).cpu().unbind(1)
        self.state.skipped += int(skipped.sum())
        ratio, surprise = (values[(skipped == 0) & values.isfinite()] for values in (ratio, surprise))
        look = Look(
            update=self.state.update,
            samples=self.state.samples,
            seconds=self.state.seconds,
            rate=self.step.optimizer.param_groups[0]["lr"],
            train_loss=_mean(loss[skipped == 0]),
            gradient_norm=_mean(norm[skipped == 0]),
            validation_loss=self._validation_loss(),
            skipped=self.state.skipped,
            update_ratio=_mean(ratio),
            surprise=float(surprise.max()) if len(surprise) else None,
        )
        self._judge(look)
        return look

    def _validation_loss(self) -> float | None:
        """Mean loss of the ensemble on the validation rows, or None without any."""
        if not len(self.held):
            return None
        return mean_loss(self.network, self.inputs, self.target, self.held, self.weight)

    def _judge(self, look: Look) -> None:
        """Keep the weights of the best look; renew patience where the gain is more than noise."""
        state, loss = self.state, look.validation_loss
        state.looks.append(look)
        if loss is None:
            state.best_update = look.update
        elif math.isfinite(loss) and (state.best_loss is None or loss < state.best_loss):
            if state.best_loss is None or loss < state.best_loss - LEAST_GAIN * abs(state.best_loss):
                state.renewed = look.update
            state.best_loss, state.best_update = loss, look.update
            for name, value in self.network.state_dict().items():
                self.best.setdefault(name, torch.empty_like(value)).copy_(value)


def _set_random(device: torch.device, state: Tensor) -> None:
    """Put the device's default generator into a state."""
    torch.cuda.set_rng_state(state, device) if device.type == "cuda" else torch.set_rng_state(state)


def _random_of(device: torch.device) -> Tensor:
    """The state of the device's default generator."""
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _mean(values: Float[Tensor, "step"]) -> float | None:
    """The mean, or None of nothing: every step since the last look was skipped."""
    return float(values.mean()) if len(values) else None
