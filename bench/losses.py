"""The losses beside the plain formulas and their peers: time, peak memory, error, and what share of its floor each is.

Time is the processor time of the fastest of several passes on one thread, all sides taking turns. Peak memory is what
torch's allocator holds at most during one pass, neither inputs nor returned gradients counted. A peer that is not
installed is left out and named.
"""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor

from bench._losses_floor import floors
from bench._losses_measure import SAME, Case, best_times, peak_memory, reach
from bench._losses_peers import cubic, peers
from bench._machine import publish, table
from evenkeel import losses

ROUNDS = 5
LARGE = (4096, 8192)
LINEAR = ((1024, 256, 16384), (2048, 512, 8192))


def main() -> None:
    torch.set_num_threads(1)
    linear = linear_table()  # first: matrices of a gigabyte change how the allocator treats those of 32 MiB
    body = [
        "Forward and backward; time and memory as shares of the plain formula's. *Same library*: the plain formula "
        "with oneDNN's float32 products, which evenkeel chooses by itself where they are exact.",
        "## Contrastive losses, D = 256, float32",
        contrastive_table(),
        cubic(),
        "## Linear layer and cross-entropy (rows, units, tokens)",
        linear,
        "## Share of the floor",
        floors(reach(), ROUNDS),
    ]
    publish("losses", "Losses: time, memory and error, one thread", "python -m bench.losses", "\n\n".join(body))


def contrastive_table() -> str:
    """Every contrastive case with its peers."""
    rows: list[list[object]] = []
    for rows_of_batch in LARGE:
        for name, case in contrastive_cases(rows_of_batch).items():
            rows += compared(name, case)
    return table(["loss", "way", "ms", "of plain", "MiB", "of plain"], rows)


def compared(name: str, case: Case) -> list[list[object]]:
    """One line for each way of a case; `plain` comes first."""
    times, memory = best_times(case, ROUNDS), {way: peak_memory(case, way) for way in case.steps}
    return [
        [
            name,
            way,
            f"{1000 * times[way]:.0f}",
            f"{times[way] / times['plain']:.2f}",
            f"{memory[way]:.1f}",
            f"{memory[way] / memory['plain']:.3f}",
        ]
        for way in case.steps
    ]


def contrastive_cases(batch: int) -> dict[str, Case]:
    """InfoNCE one way and symmetric, and NT-Xent of two views of half of the batch each."""
    torch.manual_seed(0)
    query, key = (torch.randn(batch, 256, requires_grad=True) for _ in range(2))
    left, right = (torch.randn(batch // 2, 256, requires_grad=True) for _ in range(2))
    both, one = (partial(plain_info_nce, query, key, both=choice) for choice in (True, False))
    views = partial(plain_nt_xent, left, right)
    return {
        f"info_nce symmetric, N={batch}": Case(
            leaves=(query, key),
            steps={
                "plain": both,
                "plain" + SAME: both,
                "evenkeel": lambda: losses.info_nce(query, key, symmetric=True),
            },
        ),
        f"info_nce one way, N={batch}": Case(
            leaves=(query, key),
            steps={"plain": one, "plain" + SAME: one, "evenkeel": lambda: losses.info_nce(query, key)},
        ),
        f"nt_xent, {batch} views": Case(
            leaves=(left, right),
            steps={
                "plain": views,
                "plain" + SAME: views,
                **peers(left, right),
                "evenkeel": lambda: losses.nt_xent(left, right),
            },
        ),
    }


def plain_info_nce(query: Tensor, key: Tensor, *, both: bool) -> Tensor:
    """InfoNCE of the full matrix, as it is usually written."""
    scores = F.normalize(query, dim=-1) @ F.normalize(key, dim=-1).T / 0.07
    target = torch.arange(len(query))
    row = F.cross_entropy(scores, target)
    return (row + F.cross_entropy(scores.T, target)) / 2 if both else row


def plain_nt_xent(left: Tensor, right: Tensor) -> Tensor:
    """NT-Xent of the full matrix."""
    views = F.normalize(torch.cat([left, right]), dim=-1)
    scores = (views @ views.T / 0.5).masked_fill(torch.eye(len(views), dtype=torch.bool), -torch.inf)
    return F.cross_entropy(scores, torch.arange(len(views)).roll(len(left)))


def linear_table() -> str:
    """Time, memory, and the errors of loss and gradients against float64."""
    rows: list[list[object]] = []
    for shape in LINEAR:
        for dtype in (torch.float32, torch.bfloat16):
            case, errors = linear_case(*shape, dtype)
            name = f"{shape}, {str(dtype).removeprefix('torch.')}"
            rows += [[*line, *errors[str(line[1])]] for line in compared(name, case)]
    header = ["call", "way", "ms", "of plain", "MiB", "of plain", "error of the loss", "of the gradients"]
    return table(header, rows)


def linear_case(rows: int, units: int, tokens: int, dtype: torch.dtype) -> tuple[Case, dict[str, list[str]]]:
    """One call, and the errors of each way: the loss absolute, gradients relative to their norm (features, weight)."""
    torch.manual_seed(0)
    features = torch.randn(rows, units).to(dtype).requires_grad_()
    weight = (torch.randn(tokens, units) / 16).to(dtype).requires_grad_()
    target = torch.randint(tokens, (rows,))

    def plain() -> Tensor:
        return F.cross_entropy(F.linear(features, weight), target)

    steps = {"plain": plain}
    if dtype == torch.float32:
        steps["plain" + SAME] = plain
    if hasattr(F, "linear_cross_entropy"):
        chunks = torch.nn.LinearCrossEntropyOptions()
        steps["torch's own, in chunks"] = lambda: F.linear_cross_entropy(features, weight, target, options=chunks)
    steps["evenkeel"] = lambda: losses.linear_cross_entropy(features, weight, target)
    case = Case(leaves=(features, weight), steps=steps)
    wide = [x.detach().double().requires_grad_() for x in case.leaves]
    exact = F.cross_entropy(wide[0] @ wide[1].T, target)
    return case, {way: errors(case, way, exact, torch.autograd.grad(exact, wide, retain_graph=True)) for way in steps}


def errors(case: Case, way: str, exact: Tensor, gradients: tuple[Tensor, ...]) -> list[str]:
    """The loss's absolute error, and the gradients' relative ones."""
    value = abs(float(case.steps[way]().detach().double() - exact.detach()))
    case.run(way)
    parts = [
        float((leaf.grad.double() - true).norm() / true.norm())
        for leaf, true in zip(case.leaves, gradients, strict=True)
        if leaf.grad is not None
    ]
    return [f"{value:.1e}", ", ".join(f"{part:.1e}" for part in parts)]


if __name__ == "__main__":
    main()
