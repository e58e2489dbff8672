"""Latent head: a few numbers that stand for an example, from which a decoder makes it, and new ones like it (a VAE).

    (m, s) = W f + b;   z = m + exp(s / 2) · noise;   L = Σ decoder loss(decoder(z), target) + beta · KL(m, s)   [nats]

Both terms are sums over what one example has, so that beta = 1 is the bound on the likelihood for a loss that is one.
The code is drawn while training; in evaluation mode it is its mean, so that the same input always gives the same.
W and b start so small that the first code is the prior and the first KL is 0.
Source: Kingma and Welling 2014, arXiv:1312.6114; beta: Higgins et al. 2017; free bits: Kingma et al. 2016
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from typing_extensions import override

from evenkeel.data.target import Target
from evenkeel.errors import RequestError, ShapeError
from evenkeel.heads.base import Head, HeadPart, Judged
from evenkeel.heads.decoded import KINDS, SCALED, check_decoded, parts_of, prediction_of, probability_of
from evenkeel.heads.match import LossChoice, check_model, check_output, expects_of
from evenkeel.heads.targets import mean_and_spread
from evenkeel.losses import gaussian_prior_kl
from evenkeel.losses.bound import bound
from evenkeel.losses.number import PlainNumber
from evenkeel.shapes import Float, Shaped, Tensor


class Latent(Head):
    """Features to mean and log-variance of a code; the decoder is trained with the head.

    The target is what should be decoded, most often the inputs themselves. `start` finds its scale: a decoder of values
    (`mse`, `gaussian_nll`) then gives them standardised, and predictions are in the target's units. Without `start`, as
    for a decoder that ends in a sigmoid or tanh, they are taken as they are.

    Args:
        features: units that come in.
        units: dimensions of the code.
        decoder: any module from codes (batch, units) to what its loss takes.
        loss: of the decoder: `mse`, `gaussian_nll`, `binary_cross_entropy` (logits, values 0..1), `cross_entropy`
            (logits, classes on the last axis), `poisson_nll`, `gamma_nll`, `focal` (labels), or a function.
        beta: weight of the KL divergence from the standard normal.
        free_bits: allowance of KL for each dimension [nats], against a code that collapses onto the prior.
        options: options of the loss.

    Shapes:
        features (batch, unit) -> (batch, 2·units): means, then log-variances.

    Raises:
        RequestError: a negative beta or free_bits, or a decoder that ends in what its loss does itself.

    Example:
        >>> head = Latent(16, units=2, decoder=nn.Linear(2, 7))
        >>> head.predict(head(torch.zeros(3, 16))).shape, head.sample(4).shape
        (torch.Size([3, 7]), torch.Size([4, 7]))
    """

    task = "generation"
    default_loss = "mse"
    gives = KINDS

    center: Tensor
    spread: Tensor

    def __init__(
        self,
        features: int,
        *,
        units: int,
        decoder: nn.Module,
        loss: LossChoice | None = None,
        beta: PlainNumber = 1.0,
        free_bits: PlainNumber = 0.0,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(features, 2 * units, members=None, loss=loss, options=options)
        if beta < 0 or free_bits < 0:
            raise RequestError(
                f"beta and free_bits must be 0 or more, got {beta:g} and {free_bits:g}; try beta=1.0, free_bits=0.0"
            )
        check_model(decoder, loss or self.default_loss)
        self.decoder_checked = False
        self.units, self.decoder, self.beta, self.free_bits = units, decoder, beta, free_bits
        # Of focal, which takes both, labels are meant.
        taken = expects_of(self.loss_name or self.loss_function) or ("value",)
        self.kind = next(kind for kind in KINDS if kind in taken)
        self.register_buffer("center", torch.zeros((), dtype=torch.float64))
        self.register_buffer("spread", torch.ones((), dtype=torch.float64))

    @override
    def check_target(self, target: Shaped[Tensor, "..."] | None) -> None:
        if target is not None:
            check_decoded(target, self.kind)

    def code(self, output: Float[Tensor, "batch out"]) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the code, both (batch, units); the log-variance is bounded smoothly beyond ±20."""
        mean, log_variance = output.chunk(2, dim=-1)
        return mean, bound(log_variance)

    def draw(self, output: Float[Tensor, "batch out"]) -> Float[Tensor, "batch unit"]:
        """A code for each row: drawn while training, with a gradient to mean and variance; else the mean."""
        mean, log_variance = self.code(output)
        return mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean) if self.training else mean

    def divergence(self, output: Float[Tensor, "batch out"]) -> Float[Tensor, "batch"]:
        """KL of each row's code from the standard normal, in nats, with the allowance of free bits."""
        return gaussian_prior_kl(*output.chunk(2, dim=-1), free_bits=self.free_bits, reduction="none")

    @override
    def loss_inputs(
        self, output: Float[Tensor, "batch out"], target: Shaped[Tensor, "batch *label"]
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        decoded = self.decoder(self.draw(output))
        if not self.decoder_checked and not torch.compiler.is_compiling():
            if isinstance(decoded, Tensor):
                check_output(decoded, self.loss_name or self.loss_function)
            self.decoder_checked = True
        parts = (decoded,) if self.loss_name is None else parts_of(decoded, self.kind)
        return parts, self._standardised(target, output.dtype)

    def _standardised(self, target: Tensor, dtype: torch.dtype) -> Tensor:
        return ((target - self.center) / self.spread).to(dtype) if self.kind in SCALED else target

    @override
    def example_loss(
        self, output: Float[Tensor, "batch out"], target: Shaped[Tensor, "batch *label"]
    ) -> Float[Tensor, "batch"]:
        """Sum of the decoder's loss over the elements of each example, and beta times its KL."""
        return self.reconstruction(output, target) + self.beta * self.divergence(output)

    def reconstruction(
        self, output: Float[Tensor, "batch out"], target: Shaped[Tensor, "batch *label"]
    ) -> Float[Tensor, "batch"]:
        """Sum of the decoder's loss over the elements of each example."""
        values = self._element_loss(output, target)
        return values.reshape(len(values), -1).sum(1)

    def elbo(
        self, output: Float[Tensor, "batch out"], target: Shaped[Tensor, "batch *label"], *, draws: int = 16
    ) -> Float[Tensor, "batch"]:
        """The evidence lower bound of each example, in nats, over so many drawn codes, whatever the mode.

            E[log p(x|z)] - KL(q(z|x) || p(z)),   log p: minus the decoder's loss, up to the constants it leaves out

        What held-out examples are judged by: the loss in evaluation mode takes the mean of the code, and is too good.

        Raises:
            RequestError: fewer than one draw.
        """
        if draws < 1:
            raise RequestError(f"a bound is a mean over drawn codes, 1 or more, got draws={draws}")
        mode, self.training = self.training, True  # of the head alone: the decoder's dropout stays as it is
        try:
            reconstruction = torch.stack([self.reconstruction(output, target) for _ in range(draws)]).mean(0)
        finally:
            self.training = mode
        return -reconstruction - gaussian_prior_kl(*output.chunk(2, dim=-1), reduction="none")

    @override
    def _own_loss(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Float[Tensor, ""]:
        """A loss of one's own of what was decoded, and beta times the mean KL."""
        return super()._own_loss(output, target, weight) + self.beta * self.divergence(output).mean()

    @override
    def start(self, target: Shaped[Tensor, "row *label"], weight: Float[Tensor, "row"] | None = None) -> None:
        """Find the scale of the target, one for all its elements, and let the code start as the prior."""
        self.check(target)
        if self.kind in SCALED:
            each = None if weight is None else weight.repeat_interleave(max(target[0].numel(), 1))
            mean, spread = mean_and_spread(target.flatten(), each)
            self.center.copy_(mean)
            self.spread.copy_(spread)
        nn.init.zeros_(self.linear.bias)

    @override
    def predict(self, output: Float[Tensor, "batch out"]) -> Shaped[Tensor, "batch *label"]:
        """What is decoded from the mean of the code, in the target's units: a mean, a probability, or a class."""
        return self.decode(self.code(output)[0])

    def decode(self, code: Float[Tensor, "*batch unit"]) -> Shaped[Tensor, "..."]:
        """What codes stand for, in the target's units."""
        values = prediction_of(self._decoded(code), self.kind)
        if self.kind in SCALED:
            values = (values.double() * self.spread + self.center).to(values.dtype)
        return values.reshape(*code.shape[:-1], *values.shape[1:])

    def _decoded(self, code: Tensor) -> tuple[Tensor, ...]:
        if code.shape[-1] != self.units:
            raise ShapeError(f"a code must be (..., {self.units}), got {tuple(code.shape)}; try head.code(output)[0]")
        return parts_of(self.decoder(code.reshape(-1, self.units)), self.kind)

    def sample(self, count: int, *, generator: torch.Generator | None = None) -> Shaped[Tensor, "batch *label"]:
        """New examples, decoded from codes drawn from the standard normal; without dropout and without gradients."""
        weight = self.linear.weight
        device = weight.device if generator is None else generator.device
        drawn = torch.randn(count, self.units, generator=generator, device=device, dtype=weight.dtype)
        return self._quietly(drawn.to(weight.device))

    def interpolate(
        self, start: Float[Tensor, "*batch unit"], end: Float[Tensor, "*batch unit"], steps: int
    ) -> Shaped[Tensor, "step *rest"]:
        """What lies between two codes, both ends included: decoded along the straight line, (step, ...)."""
        if steps < 2:
            raise RequestError(f"an interpolation has 2 steps or more, its ends, got {steps}; try steps=8")
        share = torch.linspace(0, 1, steps, dtype=start.dtype, device=start.device)
        return self._quietly(torch.lerp(start, end, share.reshape(-1, *[1] * start.dim())))

    def _quietly(self, code: Tensor) -> Tensor:
        """Decode in evaluation mode; the mode is put back after."""
        training = self.decoder.training
        self.decoder.eval()
        try:
            with torch.no_grad():
                return self.decode(code)
        finally:
            self.decoder.train(training)

    @override
    def probability(self, output: Float[Tensor, "batch out"]) -> Float[Tensor, "..."] | None:
        """Probabilities of what is decoded from the mean of the code, where the decoder gives logits."""
        return probability_of(self._decoded(self.code(output)[0]), self.kind)

    @override
    def distribution(self, output: Float[Tensor, "batch out"]) -> None:
        return None

    @override
    def calibrate(self, output: Float[Tensor, "row out"], target: Shaped[Tensor, "row *label"]) -> None:
        return None

    @override
    def decoded(self, output: Float[Tensor, "batch out"]) -> Shaped[Tensor, "batch *label"]:
        return self.predict(output).detach()

    @override
    def columns(self, output: Float[Tensor, "batch out"], target: Target) -> Mapping[str, np.ndarray]:
        """The mean code, a column for each unit."""
        code = self.code(output)[0].numpy()
        return {f"code {place}": code[:, place] for place in range(code.shape[1])}

    @override
    def judged(
        self, output: Float[Tensor, "batch out"], truth: Shaped[Tensor, "batch *label"], expects: tuple[str, ...]
    ) -> Judged:
        """The code itself, or what is decoded from it."""
        return Judged(prediction=output if "latent" in expects else self.predict(output), truth=truth)


LATENT = HeadPart(
    name="latent",
    summary="generation: a few numbers that stand for an example, and new examples from them",
    source="Kingma and Welling 2014, arXiv:1312.6114; Higgins et al. 2017",
    call=Latent,
    target="inputs",
    metrics=("reconstruction", "kl", "active_units"),
    chosen="by-target",
    usage="run.draw(4)  # new examples; also run.interpolate, run.encode",
)
