"""Windows of several series that stand side by side in one table: a row is some steps of one of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from evenkeel.shapes import Int, Shaped, Tensor


@dataclass(frozen=True)
class SeriesWindows:
    """Row i is `values[starts[i] : starts[i] + length, series[i]]`; nothing is copied before.

    Example:
        >>> values = torch.tensor([[0, 10], [1, 11], [2, 12], [3, 13]])
        >>> field = SeriesWindows(values, torch.tensor([0, 2]), torch.tensor([1, 0]), 2)
        >>> field.index_select(0, torch.tensor([0, 1])).tolist()
        [[10, 11], [2, 3]]
    """

    values: Shaped[Tensor, "time channel"]
    starts: Int[Tensor, "row"]
    series: Int[Tensor, "row"]
    length: int

    def __len__(self) -> int:
        return len(self.starts)

    def index_select(self, dim: int, index: Int[Tensor, "row"], /) -> Shaped[Tensor, "row step"]:
        """The windows of some rows, (row, step)."""
        steps = torch.arange(self.length, device=self.starts.device)
        return self.values[self.starts[index].unsqueeze(1) + steps, self.series[index].unsqueeze(1)]

    def to(self, device: torch.device | str, /) -> SeriesWindows:
        """Move to a device."""
        return SeriesWindows(self.values.to(device), self.starts.to(device), self.series.to(device), self.length)
