"""InfoNCE from a ready matrix of similarities, whatever they were computed from.

L_i = -log softmax_j(S_ij / T)[positive of i]   [nats];   symmetric: the mean with the same loss over columns
several positives of one row: the mean of their losses             Source: Radford 2021, arXiv:2103.00020
"""

import torch

from evenkeel.errors import ShapeError
from evenkeel.losses._module import module_form
from evenkeel.losses._number import Number
from evenkeel.losses._precision import widen
from evenkeel.losses._record import Example, Loss
from evenkeel.losses._reduce import reduce
from evenkeel.shapes import Bool, Float, Int, Reduction, Tensor


def similarity_info_nce(
    similarity: Float[Tensor, "..."],
    *,
    temperature: Number | Float[Tensor, ""] = 1.0,
    symmetric: bool = False,
    positives: Int[Tensor, "..."] | Bool[Tensor, "..."] | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """InfoNCE of a matrix (row, key) in nats, one value per row.

    `positives` None: row i belongs to column i. Otherwise the column of each row (row,), or a mask (row, key) that may
    hold several; a row without any is left out of the mean. `symmetric=True` needs as many columns as rows.

    Example:
        >>> import torch
        >>> similarity_info_nce(torch.zeros(4, 4), symmetric=True)  # ln 4
        tensor(1.3863)

    """
    mask = _mask(similarity, positives)
    scaled = widen(similarity) / temperature
    values, weight = _rows(scaled, mask)
    if not symmetric:
        return reduce(values, reduction, weight=weight)
    if similarity.shape[0] != similarity.shape[1]:
        raise ShapeError(
            f"symmetric=True needs as many columns as rows, got {tuple(similarity.shape)}; try symmetric=False"
        )
    back, back_weight = _rows(scaled.T, mask.T)
    return 0.5 * (reduce(values, reduction, weight=weight) + reduce(back, reduction, weight=back_weight))


def _rows(scaled: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """One value per row, and 1 where the row has a positive."""
    count = mask.sum(1)
    found = torch.where(mask, scaled, 0.0).sum(1) / count.clamp(min=1)
    return torch.logsumexp(scaled, 1) - found, (count > 0).to(scaled)


def _mask(similarity: Tensor, positives: Tensor | None) -> Tensor:
    if similarity.ndim != 2:
        raise ShapeError(f"similarity must be a matrix (row, key), got {tuple(similarity.shape)}; try query @ key.T")
    rows, keys = similarity.shape
    if positives is None and rows <= keys:
        return torch.eye(rows, keys, dtype=torch.bool, device=similarity.device)
    if positives is not None and positives.dtype == torch.bool and positives.shape == similarity.shape:
        return positives
    if positives is not None and positives.dtype != torch.bool and positives.shape == (rows,):
        return positives.unsqueeze(1) == torch.arange(keys, device=similarity.device)
    came = "None" if positives is None else f"{positives.dtype} {tuple(positives.shape)}"
    raise ShapeError(
        f"positives must be the column of each row ({rows},), or a mask ({rows}, {keys}), got {came}; "
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
