"""Cross-entropy: the surprise at the true class, in nats, of a softmax over logits.

L = -w_y log softmax(logits)_y                    mean: Σ L / Σ w_y
L = -Σ_c w_c y_c log softmax(logits)_c            for a row y of probabilities; mean: Σ L / rows
with label_smoothing e: 1 - e of the target as it is, and e / classes everywhere   Source: Bridle 1990; Szegedy 2016
"""

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name

from evenkeel.errors import ShapeError
from evenkeel.losses.base import Example, Loss
from evenkeel.losses.fit_shapes import class_target, share
from evenkeel.losses.module import module_form
from evenkeel.losses.number import PlainNumber
from evenkeel.losses.precision import widen
from evenkeel.losses.reduce import reduce, reduce_weighted
from evenkeel.shapes import Float, Int, Reduction, Tensor


def cross_entropy(
    logits: Float[Tensor, "*output label"],
    target: Int[Tensor, "*shared"] | Float[Tensor, "*shared"],
    *,
    class_weight: Float[Tensor, "label"] | None = None,
    ignore_index: int = -100,
    label_smoothing: PlainNumber = 0.0,
    reduction: Reduction = "mean",
) -> Tensor:
    """Cross-entropy of logits with classes on the last axis against classes or their probabilities, in nats.

    *Classes*: a whole-number target with the other axes of the logits, or the last of them (an ensemble shares it).
    Rows whose target is `ignore_index` count for nothing; the mean is over the weights of the true classes, and 0 where
    every row is ignored. *Probabilities*: a floating-point target of the shape of the logits, or its last two axes or
    more; `ignore_index` has no meaning then, and the mean is over rows, whatever their weights, as torch's own is. With
    `reduction="none"` there is one value per row, 0 for ignored ones. Raises `ShapeError` where target and logits do
    not fit.

    Example:
        >>> import torch
        >>> cross_entropy(torch.zeros(4, 10), torch.tensor([0, 3, 3, -100]))  # ln 10
        tensor(2.3026)
        >>> cross_entropy(torch.zeros(1, 4), torch.tensor([[0.5, 0.5, 0.0, 0.0]]))  # ln 4
        tensor(1.3863)
    """
    logits = widen(logits)
    if target.is_floating_point():
        probability = _probabilities(target, logits)
        return reduce(_soft_values(logits, probability, class_weight, label_smoothing), reduction)
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


def _probabilities(target: Tensor, logits: Tensor) -> Tensor:
    """Rows of probabilities for `logits`; one row for all of them would hide classes that are floats."""
    if target.shape != logits.shape and target.ndim < 2:
        raise ShapeError(
            f"a floating-point target holds probabilities of the shape of the logits, {tuple(logits.shape)}, got "
            f"{tuple(target.shape)}; try target.long() for whole-number classes"
        )
    return share(target.to(logits), logits.shape)


def _soft_values(
    logits: Tensor, probability: Tensor, class_weight: Tensor | None, label_smoothing: PlainNumber
) -> Tensor:
    """One weighted value per row of probabilities; 0 · log 0 is 0."""
    classes = logits.shape[-1]
    smooth = probability * (1 - label_smoothing) + label_smoothing / classes if label_smoothing else probability
    weighted = smooth if class_weight is None else smooth * class_weight.to(logits)
    log_p = torch.log_softmax(logits, -1)
    return -(weighted * torch.where((weighted == 0) & (log_p == -torch.inf), 0.0, log_p)).sum(-1)


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
    ensemble="mixture",
)
