"""What a run has shown so far: the loss of every step, looks at the chain, and what was measured before the first step.

A history is a value: whoever watches makes a new one for each judgement. All numbers are Python floats, fetched from
the device together; a gradient scaler's factor is already divided out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evenkeel.chain import Chain

Optimizer = Literal["descent", "momentum", "adaptive"]
"""How a step follows from gradients: proportional, proportional to their mean, or rescaled entry by entry (Adam)."""


@dataclass(frozen=True, kw_only=True)
class LossPoint:
    """The loss of one step, counted from 1; the first is that of the first weights."""

    step: int
    loss: float


@dataclass(frozen=True, kw_only=True)
class ParameterLook:
    """One parameter at one look."""

    name: str
    size: int
    weight_rms: float
    gradient_rms: float | None
    """None: no gradient came."""
    update_rms: float | None
    """Root mean square of what the step changed; None: no optimizer holds it."""
    moved: float | None
    """Share of the entries that the step changed at all."""
    surprise: float | None = None
    """Rms of g²/v for an adaptive optimizer: above 1, v under-estimates the gradients that come."""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """One look at a step: the chain on its batch, and what the step did to the weights."""

    step: int
    loss: float | None
    rate: float
    """The largest learning rate of all parameter groups."""
    gradient_norm: float | None
    """Over all parameters, as the optimizer got it."""
    carried: float | None = None
    """Norm of the gradient that lay there before the step's first backward pass, over that after it; 0 is clean."""
    chain: Chain | None = None
    parameters: tuple[ParameterLook, ...] = ()
    evaluating: tuple[str, ...] = ()
    """Layers that behave differently in training (dropout, batch norm) but are in evaluation mode."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """What was measured before the first step, on copies. None where it could not be."""

    loss: float
    """Of the first weights, mean over some batches."""
    known_loss: float | None = None
    """Of an output of zeros."""
    constant_loss: float | None = None
    """Of the best output that is the same for all examples: what the input must beat."""
    reachable_loss: float | None = None
    """What a small sound network reaches on the same batches in the same number of steps."""
    output_floor: float | None = None
    """The least loss of any outputs within the range of the output's last operation."""
    free_floor: float | None = None
    """The least loss of any outputs at all."""
    output_operation: str | None = None
    """The last operation of the output: `softmax`, `sigmoid`, `tanh`, `relu`, ... or None where it is linear."""
    complaint: str = ""
    """What does not fit between output, loss and target, in one sentence; '' where nothing is known."""
    input_scales: tuple[float, ...] = ()
    """For each input feature, the rms over examples."""
    input_spreads: tuple[float, ...] = ()
    """For each input feature, the standard deviation over examples."""
    target_mean: float | None = None
    """Of a target of real numbers, as the loss gets it."""
    target_spread: float | None = None
    fitted_loss: float | None = None
    """Least loss on one batch that a copy reached by training on it alone."""
    single_loss: float | None = None
    """Loss of that batch before."""
    batch_ratio: float | None = None
    """Loss of a batch over that of its half: 1 for a mean, 2 for a sum."""
    padded: float | None = None
    """Share of the target's positions that are one value repeated to the end of its row."""


@dataclass(frozen=True, kw_only=True)
class NonFinite:
    """The first value that was not finite: which operation of which layer made it, others only passed it on."""

    step: int
    where: str
    operation: str
    direction: Literal["forward", "backward", "data", "weights"]
    replayed: bool
    """Whether a replay of the batch with clean weights and the same random state showed it."""


@dataclass(frozen=True, kw_only=True)
class History:
    """A run so far, oldest first. `steps` counts all optimizer steps, `skipped` those that a scaler left out."""

    optimizer: Optimizer
    steps: int
    losses: tuple[LossPoint, ...]
    looks: tuple[Observation, ...] = ()
    validation: tuple[LossPoint, ...] = ()
    start: Start | None = None
    non_finite: NonFinite | None = None
    non_finite_steps: int = 0
    skipped: int = 0
    outside: tuple[str, ...] = ()
    """Trainable parameters that no optimizer holds."""
    sizes: tuple[int, ...] = ()
    """Examples in each of the last batches."""
    zeroed_loss: float | None = None
    """Loss after training with the inputs zeroed, beside `seen_loss` of the same batches as they are."""
    seen_loss: float | None = None
    ended: bool = False
    """Whether the run is over: some judgements wait for the end."""

    @property
    def chains(self) -> tuple[Chain, ...]:
        """The chains of all looks."""
        return tuple(look.chain for look in self.looks if look.chain is not None)

    @property
    def first(self) -> Chain | None:
        """The chain of the first weights: theory speaks of it alone."""
        return next((look.chain for look in self.looks if look.chain is not None and look.step <= 1), None)
