"""Whether a backward pass is about the watched model: one that reaches an output of it, and with which dL/dy."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from evenkeel.chain.record.batch import tensors_in


class ModelOutputs:
    """Follows the outputs of the model's forward passes with a hook on each, until the step is over.

    Example:
        >>> import torch
        >>> uses, output = ModelOutputs(), torch.ones(3, requires_grad=True) * 2
        >>> uses.follow(output)
        >>> output.sum().backward()
        >>> uses.reached_model, uses.gradients[0].tolist()
        (True, [1.0, 1.0, 1.0])
    """

    def __init__(self) -> None:
        self.gradients: dict[int, Tensor | None] = {}
        """dL/dy of the last forward pass by the place of the tensor in the output; on the CPU only."""
        self._handles: list[Any] = []
        self._reached = False

    @property
    def reached_model(self) -> bool:
        """Whether the last backward pass came to an output; also where no output is known (the model's parts ran)."""
        return self._reached or not self._handles

    def begin(self) -> None:
        """A backward pass is about to run."""
        self._reached = False

    def follow(self, output: Any) -> None:
        """A forward pass returned this."""
        self.gradients = {}
        outputs = (output,) if isinstance(output, Tensor) else tensors_in(output)
        tensors = (tensor for tensor in outputs if tensor.requires_grad)
        for place, tensor in enumerate(tensors):
            if tensor.grad_fn is not None:  # a hook on a parameter that is an output itself would outlive the step
                self._handles.append(tensor.register_hook(self._hook(place, self.gradients)))

    def clear(self) -> None:
        """The step is over."""
        for handle in self._handles:
            handle.remove()
        self._handles, self.gradients = [], {}

    def _hook(self, place: int, into: dict[int, Tensor | None]) -> Any:
        def hook(gradient: Tensor) -> None:
            self._reached = True
            if gradient.device.type == "cpu":  # kept to replay with; no memory of a GPU is held for it
                into[place] = gradient.detach()

        return hook
