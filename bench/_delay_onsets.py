"""How a training is spoilt in mid-run: each onset changes it once, as an accident or a bug would."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from bench._delay_setups import Pair, Training, mse

Onset = Callable[[Training], None]


def rate(times: float) -> Onset:
    """The learning rate becomes so many times what it was."""

    def begin(training: Training) -> None:
        for group in training.optimizer.param_groups:
            group["lr"] *= times

    return begin


def decay(value: float) -> Onset:
    """The weight decay becomes this."""

    def begin(training: Training) -> None:
        for group in training.optimizer.param_groups:
            group["weight_decay"] = value

    return begin


def weights(times: float, *which: int) -> Onset:
    """The weights of some linear layers are multiplied, of all where none is named; biases stay."""

    @torch.no_grad()
    def begin(training: Training) -> None:
        linear = [module for module in training.model.modules() if isinstance(module, nn.Linear)]
        for place in which or range(len(linear)):
            linear[place].weight.mul_(times)

    return begin


def biases(value: float, which: int) -> Onset:
    """The biases of one linear layer become this."""

    @torch.no_grad()
    def begin(training: Training) -> None:
        [module for module in training.model.modules() if isinstance(module, nn.Linear)][which].bias.fill_(value)

    return begin


@torch.no_grad()
def gates_shut(training: Training) -> None:
    """The LSTM forgets at once."""
    layer = next(module for module in training.model.modules() if isinstance(module, nn.LSTM))
    dict(layer.named_parameters())["bias_ih_l0"][layer.hidden_size : 2 * layer.hidden_size] = -10.0


def data(change: Callable[[Tensor, Tensor], Pair], steps: int | None = None) -> Onset:
    """Batches are changed, for so many steps or from now on."""

    def begin(training: Training) -> None:
        clean, left = training.batch, [steps]

        def batch() -> Pair:
            x, y = clean()
            if left[0] == 0:
                return x, y
            left[0] = None if left[0] is None else left[0] - 1
            return change(x, y)

        training.batch = batch

    return begin


def with_nan(x: Tensor, y: Tensor) -> Pair:
    """One entry is not a number."""
    x[0, 0] = torch.nan
    return x, y


def shuffled(x: Tensor, y: Tensor) -> Pair:
    """Targets no longer belong to their inputs."""
    return x, y[torch.randperm(len(y))]


def same_example(x: Tensor, y: Tensor) -> Pair:
    """The loader hands out one example over and over, with a little noise."""
    return x[:1] + 1e-3 * torch.randn_like(x), y


def loss_of(loss: Callable[[Tensor, Tensor], Tensor]) -> Onset:
    """The loss becomes another."""

    def begin(training: Training) -> None:
        training.loss = loss

    return begin


def pull(output: Tensor, target: Tensor) -> Tensor:
    """Two views of each example are drawn together, nothing holds the others apart."""
    return mse(output[: len(target)], output[len(target) :])


def with_logarithm(output: Tensor, target: Tensor) -> Tensor:
    """A term that takes the logarithm of 0."""
    return mse(output, target) - 0.01 * (output - output.max()).abs().log().mean()


def kept(training: Training) -> None:
    """zero_grad is no longer called."""
    training.clear = lambda: None


def first_layer_cut(training: Training) -> None:
    """The first layer gets no gradient any more."""

    def before_step() -> None:
        for parameter in list(training.model.parameters())[:2]:
            parameter.grad = None

    training.before_step = before_step


def body_frozen(training: Training) -> None:
    """All layers but the last are switched off, as for fine-tuning."""
    for parameter in list(training.model.parameters())[:-2]:
        parameter.requires_grad_(False)
        parameter.grad = None


def few_rows(training: Training) -> None:
    """From now on only one batch of rows is trained on."""
    rows = training.batch()
    training.batch = lambda: rows
