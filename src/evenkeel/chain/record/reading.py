"""What one place of measurement sees of the gradients that come by: a norm, and where wanted one for each example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from evenkeel.chain.record.statistics import example_rows, few, mean_cosine, norm_of, quick_norm, wide

Manner = Literal["exact", "quick"]
"""*Exact* sums squares in float64 over every example; *quick* in float32, and looks at single examples of a few."""


@dataclass(eq=False)
class Reading:
    """What one place of measurement saw: tensors until the pass is over; `norm` None where no gradient came by."""

    norms: list[Tensor]
    count: int = 0
    batch: int | None = None
    rows: Tensor | None = None
    similarity: Tensor | None = None
    manner: Manner = "exact"

    def again(self, manner: Manner) -> None:
        """Forget everything, for another pass with as many examples."""
        self.norms, self.count, self.rows, self.similarity, self.manner = [], 0, None, None, manner

    def add(self, gradient: Tensor) -> None:
        """Take in one gradient."""
        self.count += gradient.numel()
        rows = example_rows(gradient, self.batch)
        if self.manner == "quick":
            self.norms.append(quick_norm(gradient))
            if rows is not None:
                self._add_rows(few(rows))
        elif rows is None:
            self.norms.append(norm_of(gradient))
        else:
            self.norms.append(torch.linalg.vector_norm(self._add_rows(rows)))

    def _add_rows(self, rows: Tensor) -> Tensor:
        """Take in the gradients of single examples; gives back their norms."""
        lengths = torch.linalg.vector_norm(rows, dim=1, dtype=wide(rows))
        self.rows = lengths if self.rows is None else (self.rows.square() + lengths.square()).sqrt()
        self.similarity = mean_cosine(rows, lengths) if rows.shape[0] > 1 else None
        return lengths

    @property
    def norm(self) -> Tensor | None:
        """The norm over everything taken in."""
        if len(self.norms) < 2:
            return self.norms[0] if self.norms else None
        return torch.linalg.vector_norm(torch.stack([norm.to(self.norms[0]) for norm in self.norms]))
