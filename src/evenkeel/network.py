"""A network is a net and a head: inputs to features to output, with its loss and its prediction.

Built from a plan and a dataset; a net of the user's own takes the place of ours, as any `nn.Module` from inputs to
features. Inputs: a tensor -> net(x), a tuple -> net(*x), a mapping -> net(**x).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from typing_extensions import override

from evenkeel.data.dataset import Dataset
from evenkeel.data.schema import DataSchema
from evenkeel.data.target import Target
from evenkeel.errors import RequestError
from evenkeel.heads.base import Head, LossChoice
from evenkeel.heads.embedding import Embedding
from evenkeel.heads.for_task import head_for
from evenkeel.kinds import PARTS as KINDS
from evenkeel.kinds.base import Build, NetShape
from evenkeel.nets import PARTS as NETS
from evenkeel.plan import Plan
from evenkeel.shapes import Tensor

Inputs = Tensor | tuple[Tensor, ...] | Mapping[str, Tensor]
OF_LOSS = "head.loss_function."  # before the names of a loss module's own tensors


class Network(nn.Module):
    """Net + head as one module.

    Args:
        net: inputs to features (batch, unit) or (member, batch, unit).
        head: features to output; it knows loss and prediction.

    Example:
        >>> from evenkeel import heads, nets
        >>> network = Network(nets.MLP(4), heads.Value(256))
        >>> network.predict(torch.zeros(3, 4)).shape
        torch.Size([3])
    """

    def __init__(self, net: nn.Module, head: Head) -> None:
        super().__init__()
        self.net, self.head = net, head

    @override
    def forward(self, *inputs: Any, **named: Any) -> Tensor:
        return self.head(self.net(*inputs, **named))

    def output(self, inputs: Inputs) -> Tensor:
        """Output of the head for inputs in any of the three forms."""
        if isinstance(inputs, Mapping):
            return self(**inputs)
        return self(*inputs) if isinstance(inputs, tuple) else self(inputs)

    def count_examples(self, inputs: Mapping[str, Tensor]) -> int:
        """How many examples a batch of fields holds."""
        count = getattr(self.net, "count_examples", None)
        return len(next(iter(inputs.values()))) if count is None else count(inputs)

    def loss(self, inputs: Inputs, target: Tensor | None = None, weight: Tensor | None = None) -> Tensor:
        """Mean loss of a batch; a head that compares its outputs with one another (Embedding) needs no target."""
        output = self.output(inputs)
        if target is not None:
            return self.head.loss(output, target, weight)
        if not isinstance(self.head, Embedding):
            raise RequestError(f"head {type(self.head).__name__} learns from a target; pass one: loss(inputs, target)")
        return self.head.loss(output, None, weight)

    def predict(self, inputs: Inputs) -> Tensor:
        """Predictions in the target's units, without dropout and without gradients; the mode is put back after."""
        training = self.training
        self.eval()
        try:
            with torch.no_grad():
                return self.head.predict(self.output(inputs))
        finally:
            self.train(training)


def build_network(
    plan: Plan, data: Dataset, *, net: nn.Module | None = None, loss: LossChoice | None = None
) -> tuple[Network, NetShape]:
    """The network of a plan, started for the data's training rows; `plan.seed` decides its first weights."""
    rows = torch.from_numpy(data.split.train)
    shape = KINDS[data.schema.kind].shape(plan, data, net)
    network = assemble(plan, data.schema, data.target_schema, shape, net=net, loss=loss, data=data)
    network.head.start(data.target.index_select(0, rows), None if data.weight is None else data.weight[rows])
    return network, shape


def assemble(
    plan: Plan,
    schema: DataSchema,
    target: Target,
    shape: NetShape,
    *,
    net: nn.Module | None = None,
    loss: LossChoice | None = None,
    data: Dataset | None = None,
) -> Network:
    """A network of the right sizes; without `data`, what only these could tell is blank until weights are loaded."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        build = Build(
            plan=plan,
            part=None if net is not None else NETS[plan.net],
            given=net,
            schema=schema,
            target=target,
            shape=shape,
            dataset=data,
        )
        body = KINDS[schema.kind].body(build)
        members = getattr(body if net is None else net, "members", None)
        return Network(body, _head(plan, target, body, members, loss))


def _head(plan: Plan, target: Target, body: nn.Module, members: int | None, loss: LossChoice | None) -> Head:
    """The head of the plan's task with its loss; a body that knows what its head needs says so in `head_options`."""
    part = head_for(plan.task, target.kind)
    sizes: dict[str, Any] = {} if members is None else {"members": members}
    told: dict[str, Any] = dict(getattr(body, "head_options", {}))
    if plan.task == "single-label":
        sizes["classes"] = len(target.levels)
    elif plan.task == "multi-label":
        sizes["labels"] = len(target.levels)
    elif plan.task == "positive-regression":
        sizes |= {"counts": plan.counts, "activation": plan.positive}
    chosen = loss if loss is not None else plan.loss
    options: dict[str, float] = {}
    if chosen in (None, "gaussian_nll") and plan.task == "probabilistic-regression":
        options["beta"] = plan.beta
    if chosen == "focal":
        options["gamma"] = plan.gamma
    if chosen is not None and told.get("loss", chosen) != chosen:  # what the body says of its own loss suits no other
        told = {name: value for name, value in told.items() if name not in ("learn", "options")}
    usual = told.pop("loss", None)
    chosen = usual if chosen is None else chosen
    return part.call(_features(body), loss=chosen, **{"options": options, **sizes, **told})


def _features(body: nn.Module) -> int:
    """Units that a body gives to the head."""
    found = body.features
    if not isinstance(found, int):
        raise TypeError(f"the body of a network says how many features it gives, got {type(found).__name__}")
    return found


def weights_of(network: Network) -> dict[str, Tensor]:
    """What a saved run keeps: all weights, and what a loss by name has learned.

    A loss of one's own may hold tensors; it is not part of what predicts.
    """
    kept = network.head.loss_name is not None
    return {name: value for name, value in network.state_dict().items() if kept or not name.startswith(OF_LOSS)}


def load_weights(network: Network, weights: Mapping[str, Tensor]) -> None:
    """Put saved weights into a network; its loss keeps what they do not hold, and they may be of another loss.

    Raises:
        RuntimeError: they are those of another network.
    """
    own = network.state_dict()
    of_loss = {name: weights.get(name, value) for name, value in own.items() if name.startswith(OF_LOSS)}
    others = {name: value for name, value in weights.items() if not name.startswith(OF_LOSS)}
    network.load_state_dict({**others, **of_loss})
