"""Every loss of the folder as a share of its floor: the time that its bytes or its operations must take.

The floor of bytes: inputs and targets are read once, gradients are written once. The floor of operations: the matrix
products of a forward and a backward pass in float32 (losses of all pairs, D units). Both over what a copy, or a
product, reaches on this machine in the same run. The loss of pairs and triplets by mining has the floor of products,
though distances are not computed by products.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor

from bench._losses_measure import Case, Reach, Step, best_times
from bench._machine import table
from evenkeel import losses


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call at a size that matters: outputs that take gradients, the rest, operations where those are the floor."""

    output: tuple[Tensor, ...]
    target: tuple[Tensor, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    operations: float | None = None
    own: Callable[..., Tensor] | None = None

    @property
    def bytes(self) -> int:
        """Everything read once, and the gradients written once."""
        return sum(x.nbytes for x in (*self.output, *self.target)) + sum(x.nbytes for x in self.output)


def floors(reached: Reach, rounds: int) -> str:
    """The table, and the machine's reach above it."""
    lines: list[list[object]] = []
    for name, part in losses.PARTS.items():
        torch.manual_seed(0)
        call = CALLS[name]()
        leaves = [x.requires_grad_() for x in call.output]
        steps: dict[str, Step] = {"evenkeel": partial(part.call, *leaves, *call.target, **call.options)}
        if call.own is not None:
            steps["torch"] = partial(call.own, *leaves, *call.target)
        times = best_times(Case(leaves=leaves, steps=steps), rounds)
        spent, theirs = times["evenkeel"], f"{1000 * times['torch']:.1f}" if "torch" in times else "-"
        products = call.operations is not None
        floor = call.operations / reached.operations if call.operations is not None else call.bytes / reached.bytes
        shape = " ".join(str(tuple(x.shape)) for x in call.output)
        kind = "operations" if products else "bytes"
        lines.append(
            [name, shape, kind, f"{1000 * floor:.1f}", f"{1000 * spent:.1f}", f"{100 * floor / spent:.1f} %", theirs]
        )
    said = f"Reached in this run: copy {reached.bytes / 1e9:.1f} GB/s, product {reached.operations / 1e9:.0f} GFLOP/s."
    said += " `nll` reads only what its targets name, less than its floor assumes."
    header = ["loss", "outputs", "floor of", "floor, ms", "ms", "share", "torch's own, ms"]
    return f"{said}\n\n{table(header, lines)}"


NUMBERS, ROWS, LABELS = 2**22, 2**13, 512
PAIRS, UNITS, TOKENS = 2048, 256, 8192


def _numbers(count: int) -> tuple[Tensor, ...]:
    return tuple(torch.randn(NUMBERS) for _ in range(count))


def _rows(count: int) -> tuple[Tensor, ...]:
    return tuple(torch.randn(ROWS, LABELS) for _ in range(count))


def _embeddings(count: int, rows: int = ROWS * 2) -> tuple[Tensor, ...]:
    return tuple(torch.randn(rows, UNITS) for _ in range(count))


def _classes() -> Tensor:
    return torch.randint(LABELS, (ROWS,))


def _log_probability() -> Call:
    return Call(output=(_rows(1)[0].log_softmax(1),), target=(_classes(),), own=F.nll_loss)


def _all_pairs(count: int, factor: float, *, labels: bool = False) -> Call:
    """Operations are `factor`·N²·D."""
    target = (torch.arange(PAIRS) // 4,) if labels else ()
    return Call(output=_embeddings(count, PAIRS), target=target, operations=factor * PAIRS**2 * UNITS)


def _own_gaussian(mean: Tensor, log_variance: Tensor, target: Tensor) -> Tensor:
    return F.gaussian_nll_loss(mean, target, log_variance.exp())


def _own_divergence(p: Tensor, q: Tensor) -> Tensor:
    log_p, log_q = p.log_softmax(-1), q.log_softmax(-1)
    return F.kl_div(log_q, log_p, reduction="batchmean", log_target=True)


def _own_linear(features: Tensor, weight: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(F.linear(features, weight), target)


def _linear() -> Call:
    weight = torch.randn(TOKENS, UNITS) / 16
    target = torch.randint(TOKENS, (PAIRS,))
    return Call(
        output=(*_embeddings(1, PAIRS), weight),
        target=(target,),
        operations=6 * PAIRS * TOKENS * UNITS,
        own=_own_linear,
    )


CALLS: dict[str, Callable[[], Call]] = {
    "binary_cross_entropy": lambda: Call(
        output=_numbers(1), target=(torch.randint(2, (NUMBERS,)).float(),), own=F.binary_cross_entropy_with_logits
    ),
    "contrastive": lambda: Call(output=_embeddings(2), target=(torch.randint(2, (ROWS * 2,)),), options={"margin": 30}),
    "cross_entropy": lambda: Call(output=_rows(1), target=(_classes(),), own=F.cross_entropy),
    "focal": lambda: Call(output=_rows(1), target=(_classes(),)),
    "gamma_nll": lambda: Call(output=_numbers(2), target=(torch.rand(NUMBERS) + 0.1,)),
    "gaussian_nll": lambda: Call(output=_numbers(2), target=_numbers(1), own=_own_gaussian),
    "gaussian_prior_kl": lambda: Call(output=_rows(2)),
    "info_nce": lambda: _all_pairs(2, 6),
    "js_divergence": lambda: Call(output=_rows(2), options={"form": "logits"}),
    "kl_divergence": lambda: Call(output=_rows(2), options={"form": "logits"}, own=_own_divergence),
    "linear_cross_entropy": _linear,
    "mse": lambda: Call(output=_numbers(1), target=_numbers(1), own=F.mse_loss),
    "nll": _log_probability,
    "nt_xent": lambda: _all_pairs(2, 16),  # 4·M²·D of the M = 2 N views
    "nt_xent_from_labels": lambda: _all_pairs(1, 6, labels=True),
    "poisson_nll": lambda: Call(
        output=_numbers(1), target=(torch.randint(9, (NUMBERS,)).float(),), own=F.poisson_nll_loss
    ),
    "similarity_info_nce": lambda: Call(output=(torch.randn(PAIRS, PAIRS),)),
    "triplet": lambda: Call(output=_embeddings(3), own=F.triplet_margin_loss),
    "triplet_from_labels": lambda: _all_pairs(1, 6, labels=True),
}
