"""Freed memory goes back to the system."""

import ctypes
import sys

import pytest
import torch

from evenkeel.train.heap import give_back_freed


def resident() -> int:
    """Kilobytes of this process in memory."""
    with open("/proc/self/status") as status:
        return int(next(line.split()[1] for line in status if line.startswith("VmRSS")))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_freed_blocks_below_a_kept_one_are_given_back() -> None:
    if not hasattr(ctypes.CDLL(None), "malloc_trim"):
        pytest.skip("this C library has no malloc_trim")
    blocks = [torch.ones(16_000) for _ in range(3000)]  # 64 kB each, 190 MB in all, from the heap
    kept = blocks[-1]
    full = resident()
    del blocks
    assert give_back_freed()
    assert resident() < full - 100_000
    assert float(kept.sum()) == 16_000


def test_other_systems_go_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert give_back_freed() is False
