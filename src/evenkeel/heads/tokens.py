"""Tokens head: the next token, out of a vocabulary of any size, at every position of a text.

    logits z = W f + b;  p(token) = softmax(z)_token;  the loss never holds all the logits at once

The output of this head is its features: logits are made only for the positions that are needed. The bias starts at the
logarithm of the tokens' frequencies, so that the first loss is their entropy; ln V without them.
Source: Wijmans et al. 2024, arXiv:2411.09009; tied weights: Press and Wolf 2017, arXiv:1608.05859
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NoReturn

import torch
from torch import nn
from typing_extensions import override

from evenkeel.data.target import Target
from evenkeel.errors import RequestError
from evenkeel.heads.base import START_VARIANCE, Head, HeadPart, Judged, no_distribution
from evenkeel.heads.match import LossChoice
from evenkeel.heads.next_token import next_token
from evenkeel.heads.targets import IGNORED, check_tokens
from evenkeel.losses import linear_cross_entropy
from evenkeel.losses.number import PlainNumber
from evenkeel.shapes import Float, Int, Shaped, Tensor


class Tokens(Head):
    """Features to the next token.

    The target is the *next* token of each position (the text one step on), -100 where there is none. A loss of one's
    own is given all logits (batch, step, token), which takes their memory.

    Args:
        features: units that come in.
        vocabulary: number of tokens.
        tied: an `nn.Embedding` (token, unit) whose weights this head shares; a learned factor in front of the logits
            then starts so small that the first loss is that of the bias, whatever the scale of the embedding.
        characters: how many characters each token stands for, for bits per character; None: one each.
        loss: `linear_cross_entropy`, or `loss(logits, target) -> scalar`.
        options: options of the loss: `{"label_smoothing": 0.1}`.

    Shapes:
        features (batch, step, unit) or (batch, unit), one position a row -> the same; target (batch, step) or (batch,).

    Raises:
        RequestError: tied weights of another size.

    Example:
        >>> head = Tokens(16, vocabulary=100)
        >>> output = head(torch.zeros(2, 5, 16))
        >>> round(head.loss(output, torch.randint(100, (2, 5))).item(), 4), head.probability(output).shape  # ln 100
        (4.6052, torch.Size([2, 100]))
    """

    task = "generation"
    default_loss = "linear_cross_entropy"
    gives = ("features",)

    def __init__(
        self,
        features: int,
        *,
        vocabulary: int,
        tied: nn.Embedding | None = None,
        characters: Sequence[int] | None = None,
        loss: LossChoice | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(features, None, members=None, loss=loss, options=options)
        self.vocabulary = vocabulary
        self.characters = None if characters is None else torch.tensor(characters)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.factor: nn.Parameter | None = None
        if tied is None:
            self.weight = nn.Parameter(torch.randn(vocabulary, features) * math.sqrt(START_VARIANCE / max(features, 1)))
            return
        if tied.weight.shape != (vocabulary, features):
            raise RequestError(
                f"tied weights must be ({vocabulary}, {features}), vocabulary and features, "
                f"got {tuple(tied.weight.shape)}; try nn.Embedding({vocabulary}, {features})"
            )
        self.weight = tied.weight
        scale = float(tied.weight.detach().square().mean().sqrt()) or 1.0
        self.factor = nn.Parameter(torch.tensor(math.sqrt(START_VARIANCE / features) / scale))

    @classmethod
    @override
    def sizes(cls, target: Target) -> Mapping[str, Any]:
        return {"vocabulary": target.size}

    @classmethod
    @override
    def gives_own(cls) -> tuple[str, ...]:
        return ("logits",)

    @override
    def forward(self, features: Float[Tensor, "batch *step unit"]) -> Float[Tensor, "batch *step unit"]:
        self.check_features(features, self.vocabulary)
        return features

    @override
    def check_target(self, target: Shaped[Tensor, "..."] | None) -> None:
        if target is not None:
            check_tokens(target, self.vocabulary, int(self.options.get("ignore_index", IGNORED)))

    def logits(
        self, output: Float[Tensor, "batch *step unit"], *, positions: Literal["last", "all"] = "last"
    ) -> Float[Tensor, "batch *rest token"]:
        """Logits of the token after the last position, (batch, token), or after every one, (batch, step, token)."""
        features = output[:, -1] if positions == "last" and output.dim() == 3 else output
        return nn.functional.linear(self._scaled(features), self.weight, self.bias)

    def _scaled(self, output: Tensor) -> Tensor:
        return output if self.factor is None else output * self.factor.to(output.dtype)

    @override
    def loss(
        self,
        output: Float[Tensor, "batch *step unit"],
        target: Int[Tensor, "batch *step"],
        weight: Float[Tensor, "batch"] | None = None,
    ) -> Float[Tensor, ""]:
        """Mean over all positions that have a token; `weight` (mean 1 over all data) multiplies each row."""
        self.check_first(target)
        if self.loss_name is None:
            return self._own_loss(output, target, weight)
        if weight is None:
            return self._named(output, target, "mean")
        values = self._named(output, target, "none")
        kept = (target != self.options.get("ignore_index", IGNORED)).sum().clamp(min=1)
        return (values * weight.reshape(-1, *[1] * (values.dim() - 1))).sum() / kept

    @override
    def loss_inputs(
        self, output: Float[Tensor, "batch *step unit"], target: Int[Tensor, "batch *step"]
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        if self.loss_name is None:
            return (self.logits(output, positions="all"),), target
        return (self._scaled(output), self.weight), target

    def _named(self, output: Tensor, target: Tensor, reduction: str) -> Tensor:
        parts, truth = self.loss_inputs(output, target)
        return self.loss_function(*parts, truth, bias=self.bias, reduction=reduction, **self.options)

    @override
    def example_loss(
        self, output: Float[Tensor, "batch *step unit"], target: Int[Tensor, "batch *step"]
    ) -> Float[Tensor, "batch"]:
        """Mean over the positions of each row that have a token, 0 where none has."""
        values = self._named(output, target, "none")
        kept = (target != self.options.get("ignore_index", IGNORED)).to(values)
        return values if values.dim() == 1 else values.sum(1) / kept.sum(1).clamp(min=1)

    def log_probability(
        self, output: Float[Tensor, "batch *step unit"], target: Int[Tensor, "batch *step"]
    ) -> Float[Tensor, "batch *step"]:
        """Log-probability of each token of the target, in nats, without holding all logits; 0 where there is none."""
        with torch.no_grad():
            arguments = (self._scaled(output), self.weight, target)
            ignored = int(self.options.get("ignore_index", IGNORED))
            return -linear_cross_entropy(*arguments, bias=self.bias, ignore_index=ignored, reduction="none")

    def sample(
        self,
        output: Float[Tensor, "batch *step unit"],
        *,
        temperature: PlainNumber = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        generator: torch.Generator | None = None,
    ) -> Int[Tensor, "batch"]:
        """Draw the token after the last position of each row; temperature 0 takes the most probable one."""
        logits = self.logits(output).detach()
        return next_token(logits, temperature=temperature, top_k=top_k, top_p=top_p, generator=generator)

    @override
    def start(self, target: Int[Tensor, "row *step"], weight: Float[Tensor, "row"] | None = None) -> None:
        """Set the bias to the logarithm of how often each token comes in the target."""
        self.check(target)
        kept = target != self.options.get("ignore_index", IGNORED)
        rows = None if weight is None else weight.reshape(-1, *[1] * (target.dim() - 1)).expand(target.shape)[kept]
        totals = torch.bincount(target[kept].long(), weights=rows, minlength=self.vocabulary).double()
        # Half a token for one that training lacks: rare, not impossible.
        share = totals.clamp(min=0.5)
        self.bias.data.copy_((share / share.sum()).log())

    @override
    def predict(self, output: Float[Tensor, "batch *step unit"]) -> Int[Tensor, "batch"]:
        """The most probable token after the last position."""
        return self.logits(output).argmax(-1)

    @override
    def probability(self, output: Float[Tensor, "batch *step unit"]) -> Float[Tensor, "batch token"]:
        """Probabilities of the token after the last position."""
        return self.logits(output).float().softmax(-1)

    @override
    def distribution(self, output: Float[Tensor, "batch *step unit"]) -> None:
        return None

    @override
    def calibrate(self, output: Float[Tensor, "row *step unit"], target: Int[Tensor, "row *step"]) -> None:
        return None

    @override
    def columns(self, output: Float[Tensor, "batch *step unit"], target: Target) -> NoReturn:
        raise no_distribution(self.task)

    @override
    def judged(
        self, output: Float[Tensor, "batch *step unit"], truth: Int[Tensor, "batch *step"], expects: tuple[str, ...]
    ) -> Judged:
        return Judged(prediction=self.log_probability(output, truth), truth=truth)

    @override
    def metric_options(self, metric: str) -> Mapping[str, object]:
        return {"characters": self.characters} if metric == "bits_per_character" else {}


TOKENS = HeadPart(
    name="tokens",
    summary="generation: the next token of a text",
    source="Wijmans et al. 2024, arXiv:2411.09009; Press and Wolf 2017, arXiv:1608.05859",
    call=Tokens,
    target="tokens",
    metrics=("perplexity", "bits_per_character"),
    usage='run.generate("It begins so")  # what follows',
)
