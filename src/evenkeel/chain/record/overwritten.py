"""What existed before a trace and is written to during it: kept at the last moment, and put back afterwards.

A forward pass may write to parameters (`Embedding(max_norm=...)`, clamped weights), to tensors that nobody registered,
and to the caller's own batch (`labels[labels == pad] = -100`). Whole storages are kept, so that every view of them
comes back; the copy touches no version counter, so a backward pass through the tensors stays possible.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


class Overwritten:
    """The former content of every storage that was about to be written to.

    Example:
        >>> tensor, overwritten = torch.ones(3), Overwritten()
        >>> overwritten.keep([tensor[1:]])
        >>> _ = tensor.zero_()
        >>> overwritten.restore()
        >>> tensor.tolist()
        [1.0, 1.0, 1.0]
    """

    def __init__(self) -> None:
        self._kept: dict[int, tuple[torch.UntypedStorage, torch.UntypedStorage]] = {}

    def keep(self, tensors: Iterable[Tensor]) -> None:
        """Keep what these tensors hold now, once each; tensors without a storage (sparse ones) are left out."""
        for tensor in tensors:
            try:
                storage = tensor.untyped_storage()
                if storage._cdata not in self._kept:
                    self._kept[storage._cdata] = storage, storage.clone()
            except (NotImplementedError, RuntimeError):
                continue

    def restore(self) -> None:
        """Put everything back."""
        for storage, content in self._kept.values():
            if storage.nbytes() == content.nbytes():
                storage.copy_(content)
        self._kept.clear()
