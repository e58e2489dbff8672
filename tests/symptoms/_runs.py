"""Real small runs as histories: train a model in the open, look at some steps, write down what a watch would.

history = run(mlp([2, 32, 2]), cross_entropy, two_classes(), adam(model), steps=60)
"""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import cycle, islice, pairwise
from typing import Literal

import torch
from sklearn.datasets import load_digits, make_blobs, make_moons
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from evenkeel.chain import trace
from evenkeel.errors import TrainingError
from evenkeel.symptoms.history import History, LossPoint, Observation, ParameterLook, Start

LOOKS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
BEHAVES_DIFFERENTLY = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)
cross_entropy, mse = functional.cross_entropy, functional.mse_loss
Batch = tuple[Tensor, Tensor]


def run(
    model: nn.Module,
    loss: Callable[..., Tensor],
    batches: Iterable[Batch],
    optimizer: Optimizer,
    steps: int,
    *,
    looks: Sequence[int] = LOOKS,
    start: Start | None = None,
    clear: Literal["each step", "never"] = "each step",
    after_step: Callable[[int], object] = lambda step: None,
) -> History:
    """Train for some steps over the batches, again and again, with looks at `looks` and at the last step."""
    seen: list[Observation] = []
    losses: list[LossPoint] = []
    non_finite = 0
    for step, batch in enumerate(islice(cycle(list(batches)), steps), start=1):
        look = step in looks or step == steps
        chain = traced(model, loss, batch) if look else None
        if clear == "each step":
            optimizer.zero_grad()
        lay = gradient_norm(optimizer)
        found = loss(model(batch[0]), batch[1])
        found.backward()
        norm = gradient_norm(optimizer)
        before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()} if look else {}
        optimizer.step()
        losses.append(LossPoint(step=step, loss=float(found.detach())))
        non_finite += not math.isfinite(float(found.detach()))
        if look:
            seen.append(
                Observation(
                    step=step,
                    loss=float(found.detach()),
                    rate=max(group["lr"] for group in optimizer.param_groups),
                    gradient_norm=norm,
                    carried=lay / norm if norm else 0.0,
                    chain=chain,
                    parameters=parameter_looks(model, optimizer, before),
                    evaluating=evaluating(model),
                )
            )
        after_step(step)
    return History(
        optimizer=kind_of(optimizer),
        steps=steps,
        losses=tuple(losses),
        looks=tuple(seen),
        start=start,
        non_finite_steps=non_finite,
        outside=outside(model, optimizer),
    )


def traced(model, loss, batch):
    """The chain, or None where the loss hangs on nothing."""
    try:
        return trace(model, loss, batch)
    except TrainingError:
        return None


def gradient_norm(optimizer: Optimizer) -> float:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    squares = [float(p.grad.double().square().sum()) for p in parameters if p.grad is not None]
    return math.sqrt(sum(squares))


def held(optimizer: Optimizer) -> set[int]:
    return {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}


def outside(model: nn.Module, optimizer: Optimizer) -> tuple[str, ...]:
    inside = held(optimizer)
    return tuple(name for name, p in model.named_parameters() if p.requires_grad and id(p) not in inside)


def parameter_looks(model: nn.Module, optimizer: Optimizer, before: dict[str, Tensor]) -> tuple[ParameterLook, ...]:
    inside = held(optimizer)
    found = []
    for name, parameter in model.named_parameters():
        change = parameter.detach() - before[name]
        mine = id(parameter) in inside
        found.append(
            ParameterLook(
                name=name,
                size=parameter.numel(),
                weight_rms=rms(before[name]),
                gradient_rms=None if parameter.grad is None else rms(parameter.grad),
                update_rms=rms(change) if mine else None,
                moved=float((change != 0).double().mean()) if mine else None,
            )
        )
    return tuple(found)


def evaluating(model: nn.Module) -> tuple[str, ...]:
    return tuple(n for n, m in model.named_modules() if isinstance(m, BEHAVES_DIFFERENTLY) and not m.training)


def rms(value: Tensor) -> float:
    return float(value.double().square().mean().sqrt())


def kind_of(optimizer: Optimizer) -> Literal["descent", "momentum", "adaptive"]:
    if isinstance(optimizer, torch.optim.SGD):
        return "momentum" if optimizer.defaults["momentum"] else "descent"
    return "adaptive"


def adam(model: nn.Module, rate: float = 1e-3) -> Optimizer:
    return torch.optim.Adam(model.parameters(), lr=rate)


def descent(model: nn.Module, rate: float = 0.1, momentum: float = 0.0) -> Optimizer:
    return torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum)


def mlp(sizes: Sequence[int], activation: Callable[[], nn.Module] = nn.ReLU) -> nn.Sequential:
    """Linear activation ... Linear, with torch's own initialisation."""
    layers: list[nn.Module] = []
    for inner, outer in pairwise(sizes[:-1]):
        layers += [nn.Linear(inner, outer), activation()]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


def initialised(model: nn.Module, weight: Callable[[Tensor], object]) -> nn.Module:
    """All weights of linear layers drawn by `weight`, their biases 0."""
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            weight(layer.weight)
            nn.init.zeros_(layer.bias)
    return model


def he(weight: Tensor) -> Tensor:
    return nn.init.kaiming_normal_(weight, nonlinearity="relu")


def batched(x: Tensor, y: Tensor, size: int = 32) -> list[Batch]:
    """Full batches of rows in a fixed random order."""
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    count = len(x) // size
    pairs = zip(x[order].split(size), y[order].split(size), strict=True)
    return list(pairs)[:count]


def blobs(size: int = 32) -> list[Batch]:
    """Three classes of points in the plane, far apart."""
    x, y = make_blobs(600, centers=[[-2, 0], [2, 0], [0, 2.5]], cluster_std=0.6, random_state=0)
    return batched(torch.tensor(x).float(), torch.tensor(y), size)


def moons(size: int = 32) -> list[Batch]:
    """Two classes of points in the plane, standardised."""
    x, y = make_moons(600, noise=0.15, random_state=0)
    points = torch.tensor(x).float()
    return batched((points - points.mean(0)) / points.std(0), torch.tensor(y), size)


def digits(size: int = 64) -> list[Batch]:
    """Images of 8 x 8 as rows of numbers 0..1, ten classes."""
    x, y = load_digits(return_X_y=True)
    return batched(torch.tensor(x).float() / 16, torch.tensor(y), size)


def line(size: int = 32, *, offset: float = 0.0, spread: float = 1.0, features: int = 4) -> list[Batch]:
    """A value that is nearly linear in the inputs, with its mean at `offset` and standard deviation near `spread`."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(640, features, generator=generator)
    weight = torch.randn(features, 1, generator=generator)
    y = x @ weight / weight.norm() + 0.1 * torch.randn(640, 1, generator=generator)
    return batched(x, offset + spread * y, size)


def of_classes(count: int, reachable: float = 0.1, loss: float | None = None) -> Start:
    """What is measured beforehand for so many equally frequent classes."""
    constant = math.log(count)
    return Start(
        loss=constant if loss is None else loss,
        known_loss=constant,
        constant_loss=constant,
        reachable_loss=reachable,
    )
