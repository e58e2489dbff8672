"""NT-Xent where labels say which embeddings belong together.

L_i = mean over the positives p of i of  -log exp(z_i·z_p / T) / D_ip,   z of unit length                  [nats]
denominator="negatives": D_ip = exp(z_i·z_p / T) + Σ over rows with another label    (NT-Xent, pair by pair)
denominator="all":       D_ip = Σ over all rows but i                     (the supervised-contrastive convention)
Source: Chen 2020, arXiv:2002.05709; all: Khosla 2020, arXiv:2004.11362
"""

import torch

from evenkeel.losses.base import Example, Loss
from evenkeel.losses.labelled import Denominator, contrast
from evenkeel.losses.module import module_form
from evenkeel.losses.number import PlainNumber
from evenkeel.losses.ranks import Across, gather, mean_over_ranks, ranks
from evenkeel.losses.reduce import reduce_weighted
from evenkeel.losses.same_shape import require_one_label_each
from evenkeel.losses.unit import unit
from evenkeel.shapes import Float, Int, Reduction, Tensor


def nt_xent_from_labels(
    embedding: Float[Tensor, "..."],
    labels: Int[Tensor, "..."],
    *,
    temperature: PlainNumber | Float[Tensor, ""] = 0.5,
    denominator: Denominator = "negatives",
    across: Across = "ranks",
    reduction: Reduction = "mean",
) -> Tensor:
    """NT-Xent of embeddings (batch, unit), normalised here, with one label each (batch,); one value per row, in nats.

    A row without another row of its label counts for nothing: the mean is over the others. Under torch.distributed the
    rows of all ranks are candidates (`across="none"`: of this rank alone), and the losses of the ranks average to that
    of the whole batch. The N x N similarities are never held; the gradient cannot be differentiated again, and says so.

    Example:
        >>> import torch
        >>> nt_xent_from_labels(torch.ones(4, 8), torch.tensor([0, 0, 1, 1]))  # one positive, two negatives: ln 3
        tensor(1.0986)

    """
    require_one_label_each(embedding, labels)
    place = ranks(across)
    scaled = unit(embedding) / temperature**0.5
    candidates, candidate_labels = gather(scaled, place), gather(labels, place)
    contrasted = contrast(scaled, candidates, labels, candidate_labels, place.rank * len(labels), denominator)
    total = (contrasted.positives > 0).to(contrasted.value).sum()
    return reduce_weighted(contrasted.value, reduction, mean_over_ranks(total, place) if reduction == "mean" else total)


NtXentFromLabelsLoss = module_form(nt_xent_from_labels)


def _example(batch: int, generator: torch.Generator, dtype: torch.dtype) -> Example:
    embedding = torch.randn(batch, 6, generator=generator, dtype=torch.float64).to(dtype)
    return Example(output=(embedding,), target=(torch.arange(batch) // 2 % 3,))


NT_XENT_FROM_LABELS = Loss(
    name="nt_xent_from_labels",
    summary="embeddings that belong together by label",
    source="Chen et al. 2020, arXiv:2002.05709; Khosla et al. 2020, arXiv:2004.11362",
    call=nt_xent_from_labels,
    expects=("embedding-labels",),
    example=_example,
    each="example",
    batch="joint",
    derivatives="first order",
)
