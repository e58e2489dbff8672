"""Trace: one forward and one backward pass of any model, read term by term into a `Chain`.

    1. run the model and the loss, recorded          record/capture, record/recorder
    2. cut the autograd graph and merge into links   graph/cut, graph/decompose, graph/drafts
    3. fill in what tensors tell while they live     survey, theory/gain
    4. run backward with hooks on nodes              graph/meter, record/wiring
    5. fetch the numbers and freeze the records      measurement, record/unfinished

The model, its gradients, buffers, mode and the random state are as before when it returns, also when it raises.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from evenkeel.chain.chain import Chain
from evenkeel.chain.measurement import Measurement
from evenkeel.chain.record.batch import LossFunction
from evenkeel.chain.record.capture import capture
from evenkeel.chain.record.state import eager, materialised, undisturbed
from evenkeel.errors import RequestError


def trace(model: nn.Module, loss: LossFunction | None, batch: Any, *, spectrum: int = 0) -> Chain:
    """Measure the back-propagation chain of a model on one batch, link by link.

    Args:
        model: any module; it is run once forward and once backward and left exactly as it was.
        loss: `loss(output, target) -> scalar`, or None where the model's output carries `.loss`.
        batch: `(inputs, target)`; a tensor, tuple or mapping of inputs is passed on as `model(x)`, `model(*x)`,
            `model(**x)`. With `loss=None` the batch itself is the inputs.
        spectrum: how many of the largest singular values of each link's Jacobian to add (for the first example).

    Returns:
        A `Chain`: print its `table()`, or show its `figure()`.

    Raises:
        RequestError: the loss is not one number, or `spectrum` is negative.
        DataError: the batch is not `(inputs, target)`.
        TrainingError: the loss depends on nothing that takes a gradient.

    Example:
        >>> model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
        >>> chain = trace(model, nn.functional.mse_loss, (torch.randn(64, 8), torch.randn(64, 1)))
        >>> [(link.name, link.kind, link.activation) for link in chain.links]
        [('0', 'linear', 'relu'), ('2', 'linear', None)]
    """
    if spectrum < 0:
        raise RequestError(f"spectrum must be a number of singular values, 0 or more, got {spectrum}")
    subject = materialised(model)
    with undisturbed(subject, loss) as overwritten, eager(), torch.inference_mode(False), torch.enable_grad():
        captured = capture(subject, loss, batch, overwritten)
        measurement = Measurement(captured)
        inputs = [*captured.leaves, *measurement.parameters.values()]
        with measurement.reading():
            gradients = torch.autograd.grad(captured.loss, inputs, retain_graph=spectrum > 0, allow_unused=True)
        if spectrum:
            measurement.spectra(spectrum)
        return measurement.chain(dict(zip(measurement.parameters, gradients[len(captured.leaves) :], strict=True)))
