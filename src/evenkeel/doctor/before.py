"""The checks of a network of ours that need no training: some milliseconds before the first step of a run.

The head has already refused an output, loss and target that do not fit, and the data are scaled by the schema; what is
left is whether the first loss is that of a network that knows nothing yet, and what the inputs look like to the net.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from evenkeel.doctor.bounds import constant_loss
from evenkeel.network import Network
from evenkeel.shapes import Tensor
from evenkeel.symptoms.history import Start


def measure_before(network: Network, inputs: Mapping[str, Tensor], target: Tensor) -> Start:
    """First loss beside that of the best constant output, and the scale of number columns, on one batch.

    The network's mode and the random state are put back.

    Example:
        >>> from evenkeel import heads, nets
        >>> _ = torch.manual_seed(0)
        >>> network = Network(nets.MLP(4, width=8), heads.Value(8))
        >>> start = measure_before(network, {"numbers": torch.randn(32, 4)}, torch.randn(32))
        >>> start.loss >= start.constant_loss
        True
    """
    training = network.training
    seen = first_sight(network)
    devices = [target.device.index or 0] if target.is_cuda else []
    members = network.head.members

    def of_one(one: Tensor, truth: Tensor) -> Tensor:
        """Every member gives the same."""
        return network.head.loss(one if members is None else one.expand(members, *one.shape), truth)

    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(0)  # of the codes that a head draws
        try:
            with torch.no_grad():
                output = seen.output(dict(inputs))
                loss = float(network.head.loss(output, target))
        finally:
            network.train(training)
        constant = constant_loss([output if members is None else output[0]], [target], of_one, None)
    scales, spreads = _columns(inputs.get("numbers"))
    return Start(
        loss=loss, constant_loss=None if constant is None else constant[0], input_scales=scales, input_spreads=spreads
    )


def first_sight(network: Network) -> Network:
    """The network as its first step sees it, without dropout: batch norms have no averages yet and take the batch's.

    Where there are any it is a copy, so that looking leaves no trace in them.
    """
    if not any(isinstance(module, _BatchNorm) for module in network.modules()):
        return network.eval()
    seen = copy.deepcopy(network).eval()
    for module in seen.modules():
        if isinstance(module, _BatchNorm):
            module.train()
    return seen


def _columns(numbers: Tensor | None) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Rms and standard deviation of each column, gaps left out."""
    if numbers is None or len(numbers) < 2 or not numbers.shape[1]:
        return (), ()
    known = numbers.isfinite()
    count = known.sum(0).clamp(min=1)
    filled = torch.where(known, numbers, torch.zeros_like(numbers))
    mean, square = filled.sum(0) / count, filled.square().sum(0) / count
    return tuple(square.sqrt().tolist()), tuple((square - mean.square()).clamp(min=0.0).sqrt().tolist())
