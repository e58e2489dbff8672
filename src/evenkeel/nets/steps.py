"""Steps of unequal length in one batch: which are padding, and one vector out of many, from the real ones alone.

    attention    sum_t a_t h_t,   a = softmax over the real steps of q · h_t,   q = 0 at first: the plain mean

Padding stands behind the real steps and is never read, whatever it holds: it is blanked with zeros, not multiplied.
Source of attention over steps: Yang et al. 2016, doi:10.18653/v1/N16-1174
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn
from typing_extensions import override

from evenkeel.errors import DataError, ShapeError
from evenkeel.nets.blocks import check_choice
from evenkeel.shapes import Bool, Float, Shaped, Tensor

StepPooling = Literal["mean", "last", "first"] | None


def padding_of(
    lengths: Shaped[Tensor, "..."] | None, values: Shaped[Tensor, "..."]
) -> Bool[Tensor, "batch step"] | None:
    """True where a step is padding; None without lengths, so that every step is real.

    Args:
        lengths: real steps of each example, whole numbers from 1 to the number of steps.
        values: (batch, step, ...), of which only the shape counts.

    Raises:
        ShapeError: lengths of another shape or type.
        DataError: an empty example, or one longer than there are steps (seen where looking does not halt a device).

    Example:
        >>> padding_of(torch.tensor([1, 3]), torch.zeros(2, 3, 8))
        tensor([[False,  True,  True],
                [False, False, False]])
    """
    if lengths is None:
        return None
    if values.dim() < 2:
        raise ShapeError(f"lengths are of examples with steps, (batch, step, ...), got values of {tuple(values.shape)}")
    batch, steps = values.shape[:2]
    if lengths.shape != (batch,) or lengths.is_floating_point() or lengths.dtype == torch.bool:
        raise ShapeError(
            f"lengths must be whole numbers of shape ({batch},), one for each example; "
            f"got {lengths.dtype} of shape {tuple(lengths.shape)}"
        )
    if lengths.device.type == "cpu" and len(lengths) and not torch.compiler.is_compiling():
        least, most = (int(end) for end in lengths.aminmax())
        if least < 1 or most > steps:
            raise DataError(
                f"lengths must be from 1 to the {steps} steps there are, got {least} to {most}; "
                "leave out examples without any step, and pad to the longest"
            )
    return torch.arange(steps, device=values.device) >= lengths.to(values.device).unsqueeze(1)


def blanked(values: Shaped[Tensor, "batch step *unit"], padding: Bool[Tensor, "batch step"] | None) -> Tensor:
    """The same values with zeros in place of padding."""
    if padding is None:
        return values
    return values.masked_fill(padding.view(*padding.shape, *[1] * (values.dim() - 2)), 0)


class Pool(nn.Module):
    """One vector of each example out of its real steps: their mean, the last or the first of them.

    With `None` every step keeps its own, and padding is zero.

    Shapes: (batch, step, unit) -> (batch, unit), or (batch, step, unit) with None.

    Example:
        >>> steps = torch.tensor([[[1.0], [3.0], [99.0]]])
        >>> Pool("mean")(steps, padding_of(torch.tensor([2]), steps))
        tensor([[2.]])
    """

    def __init__(self, pooling: StepPooling) -> None:
        super().__init__()
        check_choice("pooling", pooling, ("mean", "last", "first", None))
        self.pooling = pooling

    def forward(
        self, hidden: Float[Tensor, "batch step unit"], padding: Bool[Tensor, "batch step"] | None = None
    ) -> Float[Tensor, "batch *step unit"]:
        """Features of each example, or of each step where nothing is pooled."""
        if self.pooling is None:
            return blanked(hidden, padding)
        # From here on (batch, step, unit) -> (batch, unit).
        if self.pooling == "first":
            return hidden[:, 0]
        if padding is None:
            return hidden[:, -1] if self.pooling == "last" else hidden.mean(1)
        lengths = (~padding).sum(1, keepdim=True)
        if self.pooling == "last":
            return hidden.take_along_dim(lengths.unsqueeze(2) - 1, dim=1).squeeze(1)
        return blanked(hidden, padding).sum(1) / lengths

    def extra_repr(self) -> str:
        """How the steps are pooled, for `repr`."""
        return repr(self.pooling)


class AttentionPool(nn.Module):
    """A mean of the real steps, weighted by a learned query.

    Shapes: (batch, step, unit), padding (batch, step) True where there is none -> (batch, unit).

    Example:
        >>> AttentionPool(1)(torch.tensor([[[1.0], [3.0]]])).tolist()
        [[2.0]]
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.zeros(width))

    @override
    def forward(
        self, hidden: Float[Tensor, "batch step unit"], padding: Bool[Tensor, "batch step"] | None = None
    ) -> Float[Tensor, "batch unit"]:
        score = hidden @ self.query  # (batch, step, unit) -> (batch, step)
        score = score if padding is None else score.masked_fill(padding, -torch.inf)
        return torch.einsum("bs,bsu->bu", score.softmax(1), blanked(hidden, padding))


class EndsPool(nn.Module):
    """Of units of which the first half reads forwards and the second half backwards: each where it has read all.

    Shapes: as `AttentionPool`.

    Example:
        >>> EndsPool()(torch.tensor([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])).tolist()
        [[5.0, 2.0]]
    """

    @override
    def forward(
        self, hidden: Float[Tensor, "batch step unit"], padding: Bool[Tensor, "batch step"] | None = None
    ) -> Float[Tensor, "batch unit"]:
        forwards, backwards = hidden.chunk(2, dim=-1)  # each (batch, step, half of the units)
        if padding is None:
            last = forwards[:, -1]
        else:
            at = (~padding).sum(1).view(-1, 1, 1) - 1
            last = forwards.take_along_dim(at, dim=1).squeeze(1)
        return torch.cat((last, backwards[:, 0]), dim=-1)
