"""A gradient that cannot be differentiated again says so; silent zeros would be a wrong answer.

torch's own `once_differentiable` stays silent where the upstream gradient is a constant, which is the usual case: the
gradient of a scalar loss. Here the result of `backward` hangs on the inputs of the loss by a node that raises.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch import Tensor

from evenkeel.errors import RequestError


class SecondDerivativeError(RequestError, RuntimeError):
    """Raised for a second derivative of a gradient that is taken tile by tile and has none."""


def first_order(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a `backward(ctx, *gradients)` whose own derivative would be wrong; `ctx.saved_tensors` hold the inputs."""

    @wraps(backward)
    def marked(ctx: Any, *gradients: Any) -> Any:
        with torch.no_grad():
            result = backward(ctx, *gradients)
        if not torch.is_grad_enabled():  # nobody keeps the graph of the gradient
            return result
        inputs = [x for x in (*ctx.saved_tensors, *gradients) if isinstance(x, Tensor) and x.is_floating_point()]
        each = result if isinstance(result, tuple) else (result,)
        marks = tuple(None if x is None else _Refuse.apply(x, *inputs) for x in each)
        return marks if isinstance(result, tuple) else marks[0]

    return marked


class _Refuse(torch.autograd.Function):
    @staticmethod
    def forward(gradient: Tensor, *inputs: Tensor) -> Tensor:
        return gradient.view_as(gradient)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        raise SecondDerivativeError(
            "this loss holds no matrix of similarities or logits, and its gradient cannot be differentiated again; "
            "for second derivatives try similarity_info_nce or cross_entropy, which hold it"
        )
