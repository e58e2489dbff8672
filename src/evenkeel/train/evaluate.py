"""Outputs of a whole part of the data, batch by batch, without gradients and without dropout."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from evenkeel.network import Network
from evenkeel.shapes import Shaped, Tensor

ROWS_AT_ONCE = 4096  # times members: keeps the hidden layers of a wide ensemble at some ten megabytes


def outputs(network: Network, inputs: Mapping[str, Tensor], rows: Tensor | None = None) -> Shaped[Tensor, "..."]:
    """Head outputs of the given rows (all without), on the CPU, (row, ...) or (member, row, ...)."""
    return _in_batches(network, network.output, inputs, rows)


def features(network: Network, inputs: Mapping[str, Tensor]) -> Shaped[Tensor, "..."]:
    """Features of all rows, what the head reads, on the CPU, (row, unit) or (member, row, unit)."""
    return _in_batches(network, lambda batch: network.net(**batch), inputs, None)


def _in_batches(
    network: Network,
    call: Callable[[dict[str, Tensor]], Tensor],
    inputs: Mapping[str, Tensor],
    rows: Tensor | None,
) -> Tensor:
    """What `call` gives for all rows, batch by batch; the network's mode is put back after."""
    device = next(network.parameters()).device
    size = max(256, ROWS_AT_ONCE // (network.head.members or 1))
    count = len(next(iter(inputs.values()))) if rows is None else len(rows)
    axis = 0 if network.head.members is None else 1
    training = network.training
    network.eval()
    found = torch.empty(0)
    try:
        with torch.no_grad():
            for start in range(0, max(count, 1), size):
                part = slice(start, start + size) if rows is None else rows[start : start + size]
                given = call({name: value[part].to(device) for name, value in inputs.items()}).cpu()
                if start == 0:
                    # One block for the result: small pieces kept between large temporary ones would split the heap.
                    found = given.new_empty(*given.shape[:axis], count, *given.shape[axis + 1 :])
                found.narrow(axis, start, given.shape[axis]).copy_(given)
    finally:
        network.train(training)
    return found
