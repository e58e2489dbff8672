"""The last factor of the chain at each weight of a link: what it is multiplied with, and the gradient that it gets."""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor

from evenkeel.chain.graph.drafts import WEIGHTED
from evenkeel.chain.graph.geometry import contracted, main_weight
from evenkeel.chain.graph.meter import Meter
from evenkeel.chain.graph.places import Place
from evenkeel.chain.link import LocalTerm
from evenkeel.chain.record.ledger import Ledger, Source
from evenkeel.chain.record.unfinished import Unfinished, norm_of, rms_of_value, value_of
from evenkeel.chain.record.values import Operation, Weight
from evenkeel.chain.theory.activation import IDENTITY, weight_scale
from evenkeel.chain.theory.features import function_of


class LocalTerms:
    """Fills in the records of local terms.

    Args:
        meter: reads gradients at places and along edges.
        ledger: fetches all numbers at once.
        parameters: of the model, by name.
        shared: weights whose gradient is not that of one use.
    """

    def __init__(self, meter: Meter, ledger: Ledger, parameters: Mapping[str, Tensor], shared: set[str]) -> None:
        self._meter, self._ledger, self._parameters, self._shared = meter, ledger, parameters, shared

    def of(self, place: Place, activation: Place | None) -> list[Unfinished[LocalTerm]]:
        """The terms of one place; `activation` is what follows it in the link."""
        if place.operation is None or place.kind not in WEIGHTED:
            return []
        if place.kind == "recurrent":
            weights = {w.name: w for operation in place.operations for w in operation.weights if "weight" in w.name}
            return [self._term(place, weight, None, weight.tensor.shape[-1] ** -0.5) for weight in weights.values()]
        weight = main_weight(place.operation)
        if weight is None:
            return []
        fan_in = contracted(place.operation, weight) if place.kind != "embedding" else None
        follows = function_of(activation)
        ideal = None if fan_in is None else math.sqrt(weight_scale(follows or IDENTITY) / fan_in)
        return [self._term(place, weight, place.operation, ideal)]

    def _term(
        self, place: Place, weight: Weight, operation: Operation | None, ideal: float | None
    ) -> Unfinished[LocalTerm]:
        """Fill in one term: each field of its record, in one place."""
        value = operation.inputs[0] if operation is not None and operation.inputs else None
        floating = value is not None and (value.tensor is None or value.tensor.is_floating_point())
        summary = value.summary(None) if value is not None and floating else None
        edges = []  # none: the whole gradient of the parameter will do
        if operation is not None and weight.name in self._shared:
            edges = [edge for edge in place.weight_edges if edge.position == weight.position]
        name, gradient = weight.name, self._ledger.expect(self._meter.flow(edges)) if edges else None
        output = self._ledger.expect(self._meter.total([place.number]))
        ticket = self._ledger.note(summary.norm, Source(value, "norm")) if summary else None
        return Unfinished(
            LocalTerm,
            name=name,
            shape=tuple(self._parameters[name].shape if name in self._parameters else weight.tensor.shape),
            rms=math.sqrt(weight.mean_square),
            ideal_rms=ideal,
            input_rms=rms_of_value(ticket, summary.count if summary else 0),
            input_norm=value_of(ticket),
            output_gradient_norm=norm_of(output),
            gradient_norm=(lambda ledger: ledger.gradients.get(name)) if gradient is None else norm_of(gradient),
        )
