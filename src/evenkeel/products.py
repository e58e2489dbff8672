"""The fastest matrix product that is still a float32 product.

On AMD CPUs with AVX-512 the default library reaches half of what oneDNN does; oneDNN is asked for through the
setting `mkldnn.matmul.fp32_precision = "bf16"`, which without a bfloat16 matrix unit keeps float32 arithmetic. That is
checked, not trusted: the error of a product is measured, and the setting is taken only where it stays float32's.
The choice depends on the machine and the sizes alone, never on a clock, so that a seed gives the same weights again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import torch

# Multiply-adds of one product above which oneDNN is the faster of the two (bench/matmul.py).
FASTER_FROM = 2_000_000
# Of the product's norm: float32 products of these sizes err by 2e-7 to 5e-7, true bfloat16 ones by 2e-3.
LARGEST_ERROR = 1e-6


@contextmanager
def fast_products(multiply_adds: int, device: torch.device) -> Iterator[bool]:
    """Within the block, float32 products of about this size run as fast as they can; yields whether anything changed.

    The process-wide setting is put back at the end.
    """
    before = _products().fp32_precision
    chosen = device.type == "cpu" and multiply_adds >= FASTER_FROM and exact_and_faster()
    if chosen:
        _products().fp32_precision = "bf16"
    try:
        yield chosen
    finally:
        _products().fp32_precision = before


@cache
def exact_and_faster() -> bool:
    """Whether this CPU is one where oneDNN is faster, and its product keeps float32's accuracy."""
    if not torch.backends.mkldnn.is_available() or "AuthenticAMD" not in _processor():
        return False
    return product_error("bf16") <= LARGEST_ERROR


def product_error(precision: str) -> float:
    """Relative error of a (256, 256) x (256, 256) product under the setting, against float64."""
    generator = torch.Generator().manual_seed(0)
    left, right = torch.randn(2, 256, 256, generator=generator)
    exact = left.double() @ right.double()
    before = _products().fp32_precision
    _products().fp32_precision = precision
    try:
        return float((left @ right - exact).norm() / exact.norm())
    finally:
        _products().fp32_precision = before


def _products() -> Any:
    """Torch's settings of oneDNN's matrix products."""
    return torch.backends.mkldnn.matmul  # type: ignore[attr-defined]


def _processor() -> str:
    """The processor's description, or nothing where the system does not tell."""
    described = Path("/proc/cpuinfo")
    return described.read_text() if described.is_file() else ""
