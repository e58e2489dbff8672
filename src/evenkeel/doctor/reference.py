"""What a small sound network reaches on the same batches in the same number of steps: how much there is to learn.

    output = c + s · net(standardised input),     c: the best constant output, s: the spread of the target

Two ReLU layers of 128 beside a linear path, AdamW at 2e-3, started at the constant. It sees an example as a row of
numbers; where the output has a position axis that the input has too, a position and the few before it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import override

from evenkeel.chain.record.batch import LossFunction, tensors_in
from evenkeel.doctor.bounds import RANGES
from evenkeel.doctor.working_copy import fresh

WIDTH, RATE = 128, 2e-3
MOST_INPUTS = 20_000  # numbers in a row; a larger one would be no small network any more
MOST_TOKENS = 100_000
BEFORE = 3  # positions before the present one that are seen
EMBEDDED = 32


class Reference(nn.Module):
    """The small network; `rows` makes its input of a model's."""

    def __init__(self, features: int, shape: tuple[int, ...], constant: Tensor, spread: float, tokens: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(tokens, EMBEDDED) if tokens else None
        inside = features * (EMBEDDED if tokens else 1)
        self.first, self.second = nn.Linear(inside, WIDTH), nn.Linear(WIDTH, WIDTH)
        outputs = math.prod(shape)
        self.last, self.direct = nn.Linear(WIDTH, outputs), nn.Linear(inside, outputs)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.direct.weight)
        for layer in (self.last, self.direct):
            nn.init.zeros_(layer.bias)
        self.shape, self.spread = shape, spread
        self.register_buffer("constant", constant.detach().clone())

    @override
    def forward(self, rows: Tensor) -> Tensor:
        if self.embed is not None:
            rows = self.embed(rows).flatten(-2)
        hidden = torch.relu(self.first(rows))
        hidden = hidden + torch.relu(self.second(hidden))
        out = self.last(hidden) + self.direct(rows)
        return self.constant + self.spread * out.unflatten(-1, self.shape)


def reachable_loss(
    inputs: Sequence[Any],
    outputs: Sequence[Tensor],
    targets: Sequence[Any],
    loss: LossFunction,
    *,
    constant: Tensor,
    limit: str | None,
    order: Sequence[int],
    seed: int,
) -> float | None:
    """Training loss that the reference ends with, mean over the last fifth of `order`; None where it cannot be built.

    Args:
        inputs: of each batch, as the model takes them.
        outputs: what the model gave for some batch: only its shape counts.
        targets: of each batch.
        loss: the user's.
        constant: the best constant output, before the range.
        limit: the range of the model's output.
        order: which batch trains at each step.
        seed: of the first weights.
    """
    table = _rows(inputs, outputs[0])
    if table is None:
        return None
    rows, tokens = _scaled(table)
    per_position = rows[0].ndim == 3
    shape = tuple(outputs[0].shape[2:] if per_position else outputs[0].shape[1:]) or (1,)
    base = constant.mean(0) if per_position and constant.ndim == len(shape) + 1 else constant
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = Reference(rows[0].shape[-1], shape, base.reshape(shape), _spread(targets), tokens).to(outputs[0].device)
    squeeze = outputs[0].ndim == 1
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE)
    losses = []
    for index in order:
        with torch.enable_grad():
            output = net(rows[index])
            output = output.squeeze(-1) if squeeze else output
            value = loss(output if limit is None else RANGES[limit](output), fresh(targets[index]))
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        optimizer.step()
        losses.append(float(value.detach()))
    last = losses[-max(3, len(losses) // 5) :]
    level = sum(last) / len(last)
    return level if math.isfinite(level) else None


def _rows(inputs: Sequence[Any], output: Tensor) -> list[Tensor] | None:
    """One example (or position) a row, of each batch: the tensor whose first axis is that of the first output."""
    first = list(tensors_in(inputs[0]))
    for index, tensor in enumerate(first):
        if not tensor.ndim or tensor.shape[0] != output.shape[0] or tensor.layout != torch.strided:
            continue
        if tensor.is_complex() or not 0 < tensor[0].numel() <= MOST_INPUTS:
            continue
        chosen = [list(tensors_in(each))[index].detach() for each in inputs]
        if output.ndim >= 3 and tensor.ndim >= 2 and tensor.shape[1] == output.shape[1] > 1:
            return [_with_before(each.flatten(2) if each.ndim > 2 else each.unsqueeze(-1)) for each in chosen]
        return [each.reshape(each.shape[0], -1) for each in chosen]
    return None


def _with_before(positions: Tensor) -> Tensor:
    """Each position together with those just before it, which is all that a causal network may see of them."""
    parts = [positions]
    for back in range(1, BEFORE + 1):
        parts.append(torch.cat([torch.zeros_like(positions[:, :back]), positions[:, :-back]], dim=1))
    return torch.cat(parts, dim=-1)


def _scaled(rows: list[Tensor]) -> tuple[list[Tensor], int]:
    """Numbers standardised and clipped, whole numbers as tokens with their count."""
    if not rows[0].is_floating_point() and rows[0].dtype != torch.bool:
        top = max(int(each.max()) for each in rows) + 1
        if 0 < top <= MOST_TOKENS and min(int(each.min()) for each in rows) >= 0:
            return [each.long() for each in rows], top
    floats = [each.float() for each in rows]
    seen = torch.cat([each.reshape(-1, each.shape[-1]) for each in floats[:32]])
    mean, spread = seen.nan_to_num().mean(0), seen.nan_to_num().std(0)
    spread = torch.where(spread > 1e-12 * mean.abs().clamp(min=1.0), spread, torch.ones_like(spread))
    return [((each - mean) / spread).nan_to_num().clamp(-5, 5) for each in floats], 0


def _spread(targets: Sequence[Any]) -> float:
    floats = [
        t.float().flatten() for t in targets[:32] if isinstance(t, Tensor) and t.is_floating_point() and t.numel()
    ]
    if not floats:
        return 1.0
    spread = float(torch.cat(floats).std())
    return spread if math.isfinite(spread) and spread > 0 else 1.0
