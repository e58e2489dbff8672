"""Where does oneDNN overtake the default float32 product, and does it stay float32? Backs products.py."""

from __future__ import annotations

import time

import torch

from bench._machine import publish, table

SIZES = [
    (32, 128, 128),
    (64, 128, 128),
    (128, 128, 128),
    (64, 256, 256),
    (128, 256, 256),
    (256, 256, 256),
    (1024, 512, 512),
]
REPEATS = 60


def best_seconds(call) -> float:
    """The fastest of many: the others were disturbed."""
    for _ in range(5):
        call()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    rows: list[list[object]] = []
    for batch, inputs, outputs in SIZES:
        left, right = torch.randn(batch, inputs), torch.randn(inputs, outputs)
        exact = left.double() @ right.double()
        found = {}
        for precision in ("ieee", "bf16"):
            torch.backends.mkldnn.matmul.fp32_precision = precision
            error = float((left @ right - exact).norm() / exact.norm())
            found[precision] = (best_seconds(lambda a=left, b=right: a @ b), error)
        torch.backends.mkldnn.matmul.fp32_precision = "ieee"
        (plain, plain_error), (other, other_error) = found["ieee"], found["bf16"]
        size = f"{batch} x {inputs} x {outputs}"
        millions = batch * inputs * outputs / 1e6
        rows.append([size, f"{millions:.2f}", f"{plain / other:.2f}", f"{plain_error:.1e}", f"{other_error:.1e}"])
    header = ["product", "million multiply-adds", "oneDNN faster by", "error, default", "error, oneDNN"]
    publish("matmul", "float32 products: default against oneDNN", "python -m bench.matmul", table(header, rows))


if __name__ == "__main__":
    main()
