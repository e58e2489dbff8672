"""InfoNCE from a ready matrix of similarities, whatever they were computed from.

L_i = -log softmax_j(S_ij / T)[positive of i]   [nats];   symmetric: the mean with the same loss over columns
several positives of one row: their mean, or their weighted mean     Source: Radford 2021, arXiv:2103.00020
"""

import torch

from evenkeel.errors import ShapeError
from evenkeel.losses.base import Example, Loss
from evenkeel.losses.module import module_form
from evenkeel.losses.number import PlainNumber
from evenkeel.losses.precision import widen
from evenkeel.losses.reduce import reduce
from evenkeel.shapes import Bool, Float, Int, Reduction, Tensor


def similarity_info_nce(
    similarity: Float[Tensor, "..."],
    *,
    temperature: PlainNumber | Float[Tensor, ""] = 1.0,
    symmetric: bool = False,
    positives: Int[Tensor, "..."] | Bool[Tensor, "..."] | Float[Tensor, "..."] | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """InfoNCE of a matrix (row, key) in nats, one value per row; the mean is over rows that have a positive.

    `positives` None: row i belongs to column i. Otherwise the column of each row (row,), a mask (row, key) that may
    hold several, or soft targets: numbers of 0 or more (row, key), taken in proportion to their sum over the row, and
    in the other direction over the column. `symmetric=True` needs as many columns as rows; its mean is that of the two
    directions.

    Example:
        >>> import torch
        >>> similarity_info_nce(torch.zeros(4, 4), symmetric=True)  # ln 4
        tensor(1.3863)

    """
    scaled = widen(similarity) / temperature
    wanted = _wanted(similarity, positives).to(scaled)
    values, weight = _rows(scaled, wanted)
    if not symmetric:
        return reduce(values, reduction, weight=weight)
    if similarity.shape[0] != similarity.shape[1]:
        raise ShapeError(
            f"symmetric=True needs as many columns as rows, got {tuple(similarity.shape)}; try symmetric=False"
        )
    back, back_weight = _rows(scaled.T, wanted.T)
    return 0.5 * (reduce(values, reduction, weight=weight) + reduce(back, reduction, weight=back_weight))


def _rows(scaled: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """One value per row, and 1 where the row has a positive."""
    total = wanted.sum(1)
    some = total > 0
    mean_positive = torch.where(wanted == 0, 0.0, scaled * wanted).sum(1) / torch.where(some, total, 1.0)
    return torch.logsumexp(scaled, 1) - mean_positive, some.to(scaled)


def _wanted(similarity: Tensor, positives: Tensor | None) -> Tensor:
    """How much each column belongs to each row, (row, key): a mask or soft targets."""
    if similarity.ndim != 2:
        raise ShapeError(f"similarity must be a matrix (row, key), got {tuple(similarity.shape)}; try query @ key.T")
    rows, keys = similarity.shape
    if positives is None and rows <= keys:
        return torch.eye(rows, keys, dtype=torch.bool, device=similarity.device)
    marks = positives is not None and (positives.dtype == torch.bool or positives.is_floating_point())
    if positives is not None and positives.shape == (similarity.shape if marks else (rows,)):
        return positives if marks else positives.unsqueeze(1) == torch.arange(keys, device=similarity.device)
    came = "None" if positives is None else f"{positives.dtype} {tuple(positives.shape)}"
    raise ShapeError(
        f"positives must be the column of each row ({rows},), or a mask or soft targets ({rows}, {keys}), got {came}; "
        "try None where row i belongs to column i"
    )


SimilarityInfoNceLoss = module_form(similarity_info_nce)


def _example(batch: int, generator: torch.Generator, dtype: torch.dtype) -> Example:
    similarity = torch.randn(batch, batch, generator=generator, dtype=torch.float64).to(dtype)
    return Example(output=(similarity,), options={"temperature": 0.5, "symmetric": True})


SIMILARITY_INFO_NCE = Loss(
    name="similarity_info_nce",
    summary="pairs that should find each other, from ready similarities",
    source="Radford et al. 2021, arXiv:2103.00020",
    call=similarity_info_nce,
    expects=("similarity",),
    example=_example,
    each="example",
    batch="joint",
)
