"""A loss, and what stands before it: a second softmax, or logits where probabilities are meant, is refused by name.

    expects_of(loss)          what a loss takes: ours by name, module or function, and torch's own
    check_model(model, loss)  by the last module, before anything is run
    check_output(output, loss) by the operation that made a tensor: functional calls too

Such a mistake raises no error by itself: softmax(softmax(z)) learns, slowly and badly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn
from torch.nn import functional

from evenkeel import losses
from evenkeel.errors import RequestError
from evenkeel.losses.module import LossModule
from evenkeel.shapes import Tensor

LossChoice = str | Callable[..., Tensor]

# Torch's own losses, by what they take; the last word of each row is what stands in for it here.
TORCH: Mapping[Any, str] = {
    nn.CrossEntropyLoss: "logits",
    functional.cross_entropy: "logits",
    nn.MultiMarginLoss: "logits",
    nn.NLLLoss: "log-probability",
    functional.nll_loss: "log-probability",
    nn.BCELoss: "probability",
    functional.binary_cross_entropy: "probability",
    nn.BCEWithLogitsLoss: "binary-logits",
    functional.binary_cross_entropy_with_logits: "binary-logits",
    nn.MultiLabelSoftMarginLoss: "binary-logits",
    nn.MSELoss: "value",
    functional.mse_loss: "value",
    nn.L1Loss: "value",
    functional.l1_loss: "value",
    nn.SmoothL1Loss: "value",
    nn.HuberLoss: "value",
    nn.GaussianNLLLoss: "mean-and-variance",
}
# What must not be the last operation before a loss of each kind, and why.
TWICE = "the loss does that itself, and twice it flattens the gradient"
WRONG: Mapping[str, tuple[frozenset[str], str]] = {
    "logits": (frozenset({"softmax", "log-softmax", "sigmoid"}), TWICE),
    "binary-logits": (frozenset({"sigmoid", "log-sigmoid", "softmax", "log-softmax"}), TWICE),
    "features": (frozenset({"softmax", "log-softmax"}), TWICE),
    "log-probability": (frozenset({"softmax", "sigmoid"}), "the loss takes their logarithm: use log_softmax"),
    "log-rate": (frozenset({"relu", "softplus"}), "the loss takes the logarithm of the rate, any number"),
}
MODULES: Mapping[type[nn.Module], str] = {
    nn.Softmax: "softmax",
    nn.Softmax2d: "softmax",
    nn.LogSoftmax: "log-softmax",
    nn.Sigmoid: "sigmoid",
    nn.LogSigmoid: "log-sigmoid",
    nn.ReLU: "relu",
    nn.Softplus: "softplus",
}
OPERATIONS: Mapping[str, str] = {
    "SoftmaxBackward0": "softmax",
    "LogSoftmaxBackward0": "log-softmax",
    "SigmoidBackward0": "sigmoid",
    "TanhBackward0": "tanh",
    "LogSigmoidBackward0": "log-sigmoid",
    "ReluBackward0": "relu",
    "SoftplusBackward0": "softplus",
}
# Operations that only show the same numbers in another shape or type.
SHAPES = ("View", "UnsafeView", "Squeeze", "Unsqueeze", "Transpose", "Permute", "T", "Clone", "ToCopy", "Reshape")
MOST_STEPS = 16  # of such operations in a row


def expects_of(loss: LossChoice) -> tuple[str, ...]:
    """What a loss takes, by the words of `losses`; nothing where the loss is not known.

    Example:
        >>> expects_of("focal"), expects_of(nn.BCELoss()), expects_of(lambda output, target: output.sum())
        (('logits', 'binary-logits'), ('probability',), ())
    """
    if isinstance(loss, str):
        return losses.PARTS[loss].expects
    if isinstance(loss, LossModule):
        return losses.PARTS[loss.function.__name__].expects
    if isinstance(loss, nn.PoissonNLLLoss):
        return ("log-rate",) if loss.log_input else ("value",)
    ours = [record.expects for record in losses.PARTS.values() if record.call is loss]
    torchs = TORCH.get(type(loss)) or (TORCH.get(loss) if callable(loss) else None)
    return ours[0] if ours else (torchs,) if torchs else ()


def last_module(module: nn.Module) -> nn.Module:
    """The module whose output a model gives, as far as structure tells: the last of a Sequential, or an only child."""
    children = list(module.children())
    if isinstance(module, nn.Sequential) and children:
        rest = [child for child in children if not isinstance(child, nn.Identity | nn.Flatten | nn.Dropout)]
        return last_module(rest[-1]) if rest else module
    return last_module(children[0]) if len(children) == 1 else module


def last_operation(output: Tensor) -> str | None:
    """The activation that made a tensor, read from its autograd graph; None where it was something else."""
    node = output.grad_fn
    for _ in range(MOST_STEPS):
        if node is None or node.name().removesuffix("Backward0").removesuffix("Backward1") not in SHAPES:
            break
        node = node.next_functions[0][0]
    return OPERATIONS.get(node.name()) if node is not None else None


def check_model(model: nn.Module, loss: LossChoice) -> None:
    """Refuse a model whose last module does what its loss does already.

    Raises:
        RequestError: the model ends in an activation that does not fit the loss.

    Example:
        >>> check_model(nn.Sequential(nn.Linear(4, 3), nn.Softmax(-1)), nn.MSELoss())  # no logits are expected
    """
    refuse(MODULES.get(type(last_module(model))), loss, "the model")


def check_output(output: Tensor, loss: LossChoice) -> None:
    """Refuse an output that was made by what its loss does already; needs an output with a gradient.

    Raises:
        RequestError: the output was made by an activation that does not fit the loss.
    """
    refuse(last_operation(output), loss, "the output")


def refuse(ending: str | None, loss: LossChoice, what: str) -> None:
    """Raise where an ending contradicts every kind of output that the loss takes."""
    kinds = expects_of(loss)
    if ending is None or not kinds or not all(ending in WRONG.get(kind, (frozenset(), ""))[0] for kind in kinds):
        return
    raise RequestError(
        f"{what} ends in {ending}, and loss {name_of(loss)!r} expects {' or '.join(kinds)}: "
        f"{WRONG[kinds[0]][1]}; take the {ending} away (a head's .probability gives it when predicting)"
    )


def name_of(loss: LossChoice) -> str:
    """A loss in one word."""
    if isinstance(loss, str):
        return loss
    if isinstance(loss, LossModule):
        return loss.function.__name__
    return getattr(loss, "__name__", type(loss).__name__)
