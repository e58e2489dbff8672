"""The null distribution: how far from 1 the chain of a *well* initialised copy of any architecture lies by chance.

Where no law gives the ideal and its scatter (batches, attention, custom operations), copies of the model are
initialised anew, each layer at the best scale for what follows it, and traced; their total gains are
what health looks like.
Answers are kept by architecture: they depend on shapes and wiring, not on the weights at hand.
"""

from __future__ import annotations

import copy
import math
import statistics
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from evenkeel.chain.batch import LossFunction, tensors_in
from evenkeel.chain.link import Chain
from evenkeel.chain.trace import trace
from evenkeel.errors import RequestError

DRAWS = 8
"""Copies traced: enough for a standard deviation to about a quarter of itself."""
REMEMBERED = 64
"""Architectures whose answer is kept."""
SMALLEST_DECADES = 0.1
"""No band is narrower than this standard deviation, in decades of gain: eight draws cannot say more."""


@dataclass(frozen=True, kw_only=True)
class NullDistribution:
    """Total gains and last similarities of well initialised copies."""

    total_gains: tuple[float, ...]
    similarities: tuple[float, ...]
    """Of the features of the last link that has a similarity, one a copy."""

    @property
    def gain(self) -> float:
        """The geometric mean of the total gains."""
        return 10 ** statistics.fmean(self._logs())

    @property
    def decades(self) -> float:
        """The standard deviation of log10 of the total gain."""
        logs = self._logs()
        return max(SMALLEST_DECADES, statistics.stdev(logs) if len(logs) > 1 else 0.0)

    def deviation(self, gain: float) -> float:
        """How many standard deviations a total gain lies from the mean, on the log scale; negative: below.

        Example:
            >>> null = NullDistribution(total_gains=(0.5, 1.0, 2.0), similarities=())
            >>> round(null.deviation(1e-3), 1)
            -10.0
        """
        if gain <= 0:
            return -math.inf
        return (math.log10(gain) - statistics.fmean(self._logs())) / self.decades

    def _logs(self) -> list[float]:
        return [math.log10(max(gain, 1e-300)) for gain in self.total_gains]


def null_distribution(
    model: nn.Module, loss: LossFunction | None, batch: Any, *, draws: int = DRAWS, seed: int = 0
) -> NullDistribution:
    """Trace `draws` well initialised copies of a model; the second call for the same architecture costs nothing.

    Args:
        model: left as it is; copies are changed.
        loss: as for `trace`.
        batch: as for `trace`.
        draws: how many copies, at least 2.
        seed: of the copies' weights.

    Raises:
        RequestError: fewer than two draws.

    Example:
        >>> model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1))
        >>> null = null_distribution(model, nn.functional.mse_loss, (torch.randn(32, 8), torch.randn(32, 1)), draws=3)
        >>> 0.3 < null.gain < 3
        True
    """
    if draws < 2:
        raise RequestError(f"a distribution needs at least 2 draws, got {draws}; the default is {DRAWS}")
    key = (architecture(model, batch), getattr(loss, "__qualname__", type(loss).__name__), draws, seed)
    if key not in _REMEMBERED:
        _REMEMBERED[key] = _draw(model, loss, batch, draws, seed)
        if len(_REMEMBERED) > REMEMBERED:
            _REMEMBERED.popitem(last=False)
    return _REMEMBERED[key]


def architecture(model: nn.Module, batch: Any) -> Hashable:
    """What makes two models alike for this purpose: their modules as printed, parameter shapes, mode, input shapes.

    Example:
        >>> batch = (torch.ones(4, 2), torch.ones(4))
        >>> architecture(nn.Linear(2, 1), batch) == architecture(nn.Linear(2, 1), batch)
        True
    """
    shapes = tuple((name, tuple(parameter.shape)) for name, parameter in model.named_parameters())
    inputs = tuple((tuple(tensor.shape), str(tensor.dtype)) for tensor in tensors_in(batch))
    return (repr(model), shapes, model.training, inputs)


def initialise_well_(model: nn.Module, chain: Chain, generator: torch.Generator) -> None:
    """Draw all weights anew at the best scale for what follows them, as `chain` (a trace of this model) knows it.

    Biases become 0 (the forget gate's 1), scales of norms 1; the last layer of each residual branch is divided by the
    root of the number of blocks. Weights that theory says nothing about are drawn again at their present size.
    """
    scales = {term.name: term.ideal_rms for _, link in chain.walk() for term in link.terms}
    blocks = [branch for _, link in chain.walk() if link.kind == "residual" for branch in link.branches]
    ends = {branch.links[-1].terms[0].name for branch in blocks if branch.links and branch.links[-1].terms}
    shrink = 1 / math.sqrt(max(1, len(ends)))
    norms = {id(p) for m in model.modules() if "norm" in type(m).__name__.lower() for p in m.parameters(recurse=False)}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim < 2:
                _settle_(name, parameter, is_norm=id(parameter) in norms)
                continue
            known = scales.get(name)
            size = float(parameter.float().square().mean().sqrt()) if known is None else known
            drawn = torch.randn(parameter.shape, generator=generator, dtype=torch.float32)
            parameter.copy_(drawn * (size * (shrink if name in ends else 1.0)))
        for module in model.modules():
            if isinstance(module, nn.LSTM):
                _open_forget_gates_(module)


_REMEMBERED: OrderedDict[Hashable, NullDistribution] = OrderedDict()


def _draw(model: nn.Module, loss: LossFunction | None, batch: Any, draws: int, seed: int) -> NullDistribution:
    generator = torch.Generator().manual_seed(seed)
    chain = trace(model, loss, batch)
    gains: list[float] = []
    similarities: list[float] = []
    for _ in range(draws):
        twin = copy.deepcopy(model)
        initialise_well_(twin, chain, generator)
        found = trace(twin, loss, batch)
        gains.append(found.total_gain or 0.0)
        seen = [link.similarity for link in found.links if link.similarity is not None]
        similarities += seen[-1:]
    return NullDistribution(total_gains=tuple(gains), similarities=tuple(similarities))


def _settle_(name: str, parameter: torch.Tensor, *, is_norm: bool) -> None:
    if name.rsplit(".", 1)[-1].startswith("bias") or name.endswith("_bias"):
        parameter.zero_()
    elif is_norm:
        parameter.fill_(1.0)


def _open_forget_gates_(layer: nn.LSTM) -> None:
    for name, parameter in layer.named_parameters():
        if name.startswith("bias_ih"):
            parameter[layer.hidden_size : 2 * layer.hidden_size] = 1.0
