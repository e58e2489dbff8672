"""A loss as an `nn.Module`: options are set once at construction, outputs and targets at the call.

`FocalLoss = module_form(focal)` is all a loss file writes. Options are the function's keyword-only arguments. A tensor
among them moves with the module (`.to(device)`), and a positive number named in `learn` becomes a trained parameter,
kept as its logarithm so that it stays positive: `InfoNceLoss(temperature=0.07, learn=("temperature",))`.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Generic, ParamSpec

import torch
from torch import Tensor, nn

from evenkeel.errors import RequestError, choices

P = ParamSpec("P")


class LossModule(nn.Module, Generic[P]):
    """The common body of all loss modules; `function` is the loss, `options` what was chosen at construction."""

    function: ClassVar[Callable[..., Tensor]]

    def __init__(self, *, learn: Iterable[str] = (), **options: Any) -> None:
        super().__init__()
        defaults = option_defaults(self.function)
        for name in [*options, *learn]:
            if name not in defaults:
                raise RequestError(f"{type(self).__name__} has no option {name!r}; {choices(defaults, name)}")
        self._options = {name: value for name, value in options.items() if not isinstance(value, Tensor)}
        self._tensors = tuple(name for name, value in options.items() if isinstance(value, Tensor))
        self._learned = tuple(learn)
        for name, value in options.items():
            if isinstance(value, nn.Parameter):
                self.register_parameter(name, value)
            elif isinstance(value, Tensor):
                self.register_buffer(name, value)
        for name in self._learned:
            self._learn(name, self._options.pop(name, defaults[name]))

    def _learn(self, name: str, start: Any) -> None:
        if isinstance(start, bool) or not isinstance(start, int | float) or start <= 0:
            raise RequestError(f"only a positive number can be learned, {name} is {start!r}; try {name}=1.0")
        self.register_parameter(f"log_{name}", nn.Parameter(torch.tensor(math.log(start))))

    def forward(self, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        """The loss of these outputs and targets under the options chosen at construction."""
        tensors = {name: getattr(self, name) for name in self._tensors}
        learned = {name: getattr(self, f"log_{name}").exp() for name in self._learned}
        return type(self).function(*args, **{**self._options, **tensors, **learned, **kwargs})

    def extra_repr(self) -> str:
        """The options as they were passed, for `repr`."""
        learned = [f"learn={self._learned!r}"] if self._learned else []
        return ", ".join([*(f"{name}={value!r}" for name, value in self._options.items()), *learned])


def module_form(function: Callable[P, Tensor]) -> type[LossModule[P]]:
    """The module class of a loss function: `gaussian_nll` -> `GaussianNllLoss`."""
    name = "".join(word.capitalize() for word in function.__name__.split("_")) + "Loss"
    options = [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    learn = inspect.Parameter("learn", inspect.Parameter.KEYWORD_ONLY, default=(), annotation="Iterable[str]")
    content = {
        "function": staticmethod(function),
        "__module__": function.__module__,
        "__qualname__": name,
        "__doc__": f"The module form of `{function.__name__}`; its options are given here.\n\n{function.__doc__}",
        "__signature__": inspect.Signature([*options, learn]),
    }
    return type(name, (LossModule,), content)


def option_defaults(function: Callable[..., Tensor]) -> dict[str, Any]:
    """The keyword-only arguments of a loss, each with its default."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
