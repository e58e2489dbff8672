"""Cross-entropy: the surprise at the true class, in nats, of a softmax over logits.

L = -w_y log softmax(logits)_y      mean: Σ L / Σ w_y
with label_smoothing e the target is (1 - e) at y plus e / classes everywhere      Source: Bridle 1990; Szegedy 2016
"""

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name

from evenkeel.losses._fit_shapes import class_target
from evenkeel.losses._module import module_form
from evenkeel.losses._number import Number
from evenkeel.losses._precision import widen
from evenkeel.losses._record import Example, Loss
from evenkeel.losses._reduce import reduce_weighted
from evenkeel.shapes import Float, Int, Reduction, Tensor


def cross_entropy(
    logits: Float[Tensor, "*output label"],
    target: Int[Tensor, "*shared"],
    *,
    class_weight: Float[Tensor, "label"] | None = None,
    ignore_index: int = -100,
    label_smoothing: Number = 0.0,
    reduction: Reduction = "mean",
) -> Tensor:
    """Cross-entropy of logits with classes on the last axis against whole-number classes, in nats.

    `target` has the other axes of the logits, or the last of them (an ensemble shares it). Rows whose target is
    `ignore_index` count for nothing; where every row is ignored the loss is 0. With `reduction="none"` there is one
    value per row, 0 for ignored ones. Raises `ShapeError` where target and logits do not fit.

    Example:
        >>> import torch
        >>> cross_entropy(torch.zeros(4, 10), torch.tensor([0, 3, 3, -100]))  # ln 10
        tensor(2.3026)
    """
    logits = widen(logits)
    target = class_target(target, logits)
    values = _values(logits, target, class_weight, ignore_index, float(label_smoothing))
    kept = target != ignore_index
    if class_weight is None:
        return reduce_weighted(values, reduction, kept.sum())
    total = torch.where(kept, class_weight.to(logits)[torch.where(kept, target, 0)], 0.0).sum()
    return reduce_weighted(values, reduction, total)


def _values(
    logits: Tensor, target: Tensor, class_weight: Tensor | None, ignore_index: int, label_smoothing: float
) -> Tensor:
    """One weighted value per row, from torch's own kernel."""
    weight = None if class_weight is None else class_weight.to(logits)
    flat = F.cross_entropy(
        logits.reshape(-1, logits.shape[-1]),
        target.reshape(-1),
        weight=weight,
        ignore_index=ignore_index,
        label_smoothing=label_smoothing,
        reduction="none",
    )
    return flat.reshape(target.shape)


CrossEntropyLoss = module_form(cross_entropy)


def _example(batch: int, generator: torch.Generator, dtype: torch.dtype) -> Example:
    logits = 3 * torch.randn(batch, 4, generator=generator, dtype=torch.float64).to(dtype)
    target = torch.randint(4, (batch,), generator=generator)
    options = {"class_weight": torch.tensor([1.0, 2.0, 0.5, 1.0], dtype=dtype), "label_smoothing": 0.1}
    return Example(output=(logits,), target=(target,), options=options)


CROSS_ENTROPY = Loss(
    name="cross_entropy",
    summary="one class out of several",
    source="Bridle 1990; label smoothing: Szegedy et al. 2016, doi:10.1109/CVPR.2016.308",
    call=cross_entropy,
    expects=("logits",),
    example=_example,
    each="example",
)
