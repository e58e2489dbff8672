"""The loss of a head: by name, as a module, or one's own; what does not fit the head's output is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol, runtime_checkable

from evenkeel import losses
from evenkeel.errors import RequestError
from evenkeel.heads.match import LossChoice, expects_of, name_of
from evenkeel.losses.module import LossModule
from evenkeel.shapes import Tensor


@runtime_checkable
class TakesLoss(Protocol):
    """What a head says of itself where a loss is chosen for it."""

    task: ClassVar[str]
    default_loss: ClassVar[str]
    gives: ClassVar[tuple[str, ...]]

    @classmethod
    def gives_own(cls) -> tuple[str, ...]:
        """The kinds of output that a loss of one's own takes."""
        ...


def choose_loss(head: TakesLoss, loss: LossChoice | None) -> tuple[str | None, Callable[..., Tensor]]:
    """The loss by name, checked against what the head gives; a callable is taken as it is, with no name.

    A loss fits where it expects a kind of output that the head gives; of a callable that is known for torch's own.
    """
    if callable(loss) and not isinstance(loss, LossModule):
        return None, _fitting_callable(head, loss)
    name = loss.function.__name__ if isinstance(loss, LossModule) else loss or head.default_loss
    record = losses.PARTS[name]
    fitting = fitting_losses(head.gives)
    if name not in fitting:
        raise RequestError(
            f"loss {name!r} expects {' or '.join(record.expects)}, the head for {head.task} does not give that; "
            f"losses that fit: {', '.join(fitting)}"
        )
    return name, loss if isinstance(loss, LossModule) else record.call


def fitting_losses(gives: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the losses that expect one of these kinds of output."""
    return tuple(name for name, record in losses.PARTS.items() if set(record.expects) & set(gives))


def _fitting_callable(head: TakesLoss, loss: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A loss of one's own as it is, unless it is a known one that takes something else than the head gives it."""
    kinds = expects_of(loss)
    if kinds and not set(kinds) & set(head.gives_own()):
        raise RequestError(
            f"{name_of(loss)} expects {' or '.join(kinds)}, the head for {head.task} gives "
            f"{' or '.join(head.gives_own())}; losses that fit: {', '.join(fitting_losses(head.gives))}"
        )
    return loss


def check_scalar(value: object, output: Tensor) -> Tensor:
    """The value of a loss of one's own, if training can use it.

    Raises:
        RequestError: more than one number, or one without a gradient.
    """
    if not isinstance(value, Tensor) or value.dim():
        came = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise RequestError(f"a loss must give one number for a batch, a tensor of shape (), got {came}; try .mean()")
    if output.requires_grad and not value.requires_grad:
        raise RequestError(
            "the loss has no gradient with respect to the output, so nothing can be learned from it; "
            "use differentiable functions of the output, without .detach(), .item() or argmax"
        )
    return value
