"""Outputs of a whole part of the data, batch by batch, without gradients and without dropout."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from evenkeel.data.fields import Field, Fields, SharedField, kept, pick
from evenkeel.network import Network
from evenkeel.shapes import Shaped, Tensor

ROWS_AT_ONCE = 4096  # times members: keeps the hidden layers of a wide ensemble at some ten megabytes
# Numbers that go in at once where a row is more than a list of them: each meets many units on its way.
NUMBERS_AT_ONCE = 2**17
FEWEST_ROWS = 8
ROWS_COMPARED = 4096  # of embeddings that are compared with one another: some ten milliseconds


def outputs(network: Network, inputs: Fields, rows: Tensor | None = None) -> Shaped[Tensor, "..."]:
    """Head outputs of some rows (all by default), on the CPU, (row, ...) or (member, row, ...)."""
    return _in_batches(network, network.output, inputs, rows)


def features(network: Network, inputs: Fields) -> Shaped[Tensor, "..."]:
    """Features of all rows, what the head reads, on the CPU, (row, unit) or (member, row, unit)."""
    return _in_batches(network, lambda batch: network.net(**batch), inputs, None)


def mean_loss(network: Network, inputs: Fields, target: Field, rows: Tensor, weight: Tensor | None = None) -> float:
    """Mean loss of the ensemble over some rows, batch by batch; `weight` (row,) counts each of all rows."""
    if network.head.examples == "compared":
        return _loss_together(network, inputs, target, rows, weight)
    device = next(network.parameters()).device
    training = network.training
    network.eval()
    total = mass = 0.0
    try:
        with torch.no_grad():
            for part in _parts(network, inputs, rows):
                output = network.output(_on(device, inputs, part))
                truth = target.index_select(0, part.to(_device_of(target))).to(device)
                values = network.head.ensemble_loss(output, truth).double()
                share = torch.ones_like(values) if weight is None else weight[part.to(weight.device)].to(values)
                total += float((values * share).sum())
                mass += float(share.sum())
    finally:
        network.train(training)
    return total / mass if mass else float("nan")


def _loss_together(network: Network, inputs: Fields, target: Field, rows: Tensor, weight: Tensor | None) -> float:
    """The loss of a head that compares rows with one another: with all of them at once, as far as that is quick."""
    device, total = next(network.parameters()).device, 0.0
    for part in rows.split(ROWS_COMPARED):
        output = outputs(network, inputs, part).to(device)
        truth = target.index_select(0, part.to(_device_of(target))).to(device)
        share = None if weight is None else weight[part.to(weight.device)].to(output)
        with torch.no_grad():
            total += len(part) * float(network.head.loss(output, truth, share))
    return total / len(rows) if len(rows) else float("nan")


def _parts(network: Network, inputs: Fields, rows: Tensor) -> Iterator[Tensor]:
    """The rows in batches of a size that memory bears; where they share what is read, at once: each batch reads it."""
    if any(isinstance(field, SharedField) for field in inputs.values()):
        yield rows
        return
    each = max((pick_one(field).numel() for field in inputs.values()), default=1) if len(rows) else 1
    many = ROWS_AT_ONCE // (network.head.members or 1)
    # A row of a table, or what all rows share, is cheap; steps and pixels meet every unit of the net.
    size = max(256, many) if each <= NUMBERS_AT_ONCE // ROWS_AT_ONCE else max(FEWEST_ROWS, NUMBERS_AT_ONCE // each)
    yield from rows.split(size) if len(rows) else (rows,)


def pick_one(field: Field) -> Tensor:
    """The first example of a field, to see how large one is; of what all share, a single number."""
    return (
        torch.empty(1)
        if isinstance(field, SharedField)
        else field.index_select(0, torch.zeros(1, dtype=torch.int64, device=_device_of(field)))
    )


def _on(device: torch.device, inputs: Fields, rows: Tensor) -> dict[str, Tensor]:
    """The batch of these rows on a device, wherever the fields lie."""
    place = _device_of(next(iter(inputs.values())))
    return {name: value.to(device) for name, value in pick(inputs, rows.to(place)).items()}


def _device_of(field: Field) -> torch.device:
    """The device on which a field lies."""
    return next((tensor.device for tensor in kept(field)), torch.device("cpu"))


def _in_batches(
    network: Network, call: Callable[[dict[str, Tensor]], Tensor], inputs: Fields, rows: Tensor | None
) -> Tensor:
    """Results of `call` for all rows, batch by batch; the network's mode is put back after.

    One block takes the results, where each row gives one: small pieces kept between large temporary ones would split
    the heap.
    """
    device = next(network.parameters()).device
    rows = torch.arange(len(next(iter(inputs.values())))) if rows is None else rows.cpu()
    axis = 0 if network.head.members is None else 1
    training = network.training
    network.eval()
    joined, pieces, done = torch.empty(0), [], 0
    try:
        with torch.no_grad():
            for part in _parts(network, inputs, rows):
                result = call(_on(device, inputs, part)).cpu()
                if pieces or result.shape[axis] != len(part):  # an answer for each step, not for each row
                    pieces.append(result)
                    continue
                if not done:
                    joined = result.new_empty(*result.shape[:axis], len(rows), *result.shape[axis + 1 :])
                joined.narrow(axis, done, len(part)).copy_(result)
                done += len(part)
    finally:
        network.train(training)
    before = [joined.narrow(axis, 0, done)] if done else []
    return torch.cat([*before, *pieces], dim=axis) if pieces else joined
