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
from evenkeel.heads.for_task import head_for
from evenkeel.kinds import PARTS as KINDS
from evenkeel.kinds.base import Build, NetShape
from evenkeel.nets import PARTS as NETS
from evenkeel.nets.base import Body, UsualLoss
from evenkeel.plan import Plan, head_arguments, loss_options
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
        if target is None and self.head.examples == "independent":
            raise RequestError(f"head {type(self.head).__name__} learns from a target; pass one: loss(inputs, target)")
        return self.head.loss(self.output(inputs), target, weight)  # type: ignore[arg-type]

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
        return Network(body.module, build_head(plan, target, body, loss))


def build_head(plan: Plan, target: Target, body: Body, loss: LossChoice | None = None) -> Head:
    """The head of the plan: sized by the target, with what the plan and the body say to it and to its loss.

    Raises:
        RequestError: a setting that the data decide here, or that is no option of the loss.
    """
    call = head_for(plan.task, target.kind, name=plan.head).call
    chosen = plan.loss if loss is None else loss
    if chosen is None and body.loss is not None:
        chosen = body.loss.name
    decided = {**call.sizes(target), **body.head} | ({} if body.members is None else {"members": body.members})
    for name in plan.head_options:
        if name in decided:
            raise RequestError(f"{name} of the head is decided by these data, as {decided[name]!r}; leave it out")
    arguments, options = {**head_arguments(plan), **decided}, {}
    named = call.default_loss if chosen is None else chosen
    if isinstance(named, str):
        usual = body.loss if body.loss is not None and body.loss.name == named else UsualLoss(name=named)
        options = {**usual.options, **loss_options(plan, named)}
        arguments |= {"learn": usual.learn} if usual.learn else {}
    elif plan.loss_options:
        raise RequestError("a loss that is given as an object has its own options; set them where it is made")
    return call(body.features, loss=chosen, options=options, **arguments)


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
