"""Transformer: attention between all steps, or from each to those before it; text, sequences and patches of images.

    input -> [norm, attention, + ; norm, two layers, +] x depth -> mean, last or first step -> norm

Source: Vaswani et al. 2017, arXiv:1706.03762; Xiong et al. 2020, arXiv:2002.04745 (norm in front);
Su et al. 2021, arXiv:2104.09864 (rotary positions); Dosovitskiy et al. 2021, arXiv:2010.11929 (patches).
The encoder (`direction="both"`) sees all steps. The decoder (`direction="past"`) is blind to the future, and `extend`
reads on from where it stopped. First weights: the input, and learned positions beside it with half each, give the
stream a variance of 1; each block adds 1 / depth (`evenkeel.nets.attention`).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn
from typing_extensions import override

from evenkeel.errors import RequestError, ShapeError
from evenkeel.nets.attention import Cache, Sight, TransformerBlock
from evenkeel.nets.base import Net
from evenkeel.nets.blocks import Extent, check_choice, check_dropout, extent_of, shared_heads
from evenkeel.nets.inputs import PatchInput, TokenInput, ValueInput
from evenkeel.nets.positions import LearnedPositions, check_head_width, positions_of, rotation_of
from evenkeel.nets.step_norm import StepNorm
from evenkeel.nets.steps import Pool, StepPooling, blanked, padding_of
from evenkeel.shapes import Float, Shaped, Tensor

SIZES = {"small": Extent(width=128, depth=4), "base": Extent(width=512, depth=8)}
HEAD_WIDTH = 32  # units of a head by default


class Transformer(nn.Module):
    """Tokens, vectors at each step, or images to features.

    Args:
        channels: numbers at each step, or channels of an image (with `patch`); or else
        vocabulary: number of tokens.
        size: `small` (width 128, 4 blocks) or `base` (width 512, 8 blocks).
        width: units at each step.
        depth: blocks, each of attention and two layers.
        attention_heads: heads side by side; by default as many as are 32 units wide.
        direction: `both`: each step sees all steps; `past`: each sees itself and those before it.
        positions: `rotary`, without end, or `learned`, up to `longest`.
        longest: steps, or patches along one axis, that learned positions know.
        patch: pixels along the side of a square patch of an image.
        norm: layer or rms; others would carry the future to the past.
        activation: relu, leaky_relu, tanh, sigmoid, selu, elu, gelu, silu.
        dropout: share of hidden units silenced while training, off when predicting.
        pooling: mean, last or first of the steps, or None: features of every step.

    Shapes:
        tokens (batch, step), values (batch, step, channel), with lengths (batch,) if need be; or images (batch,
        channel, height, width) -> (batch, unit), or (batch, step, unit) without pooling.

    Raises:
        RequestError: an option that does not exist or does not fit.
        ShapeError: inputs of other axes, channels or type, or longer than learned positions reach.
        DataError: a token beyond the vocabulary, lengths beyond the steps, or of 0.

    Example:
        >>> net = Transformer(vocabulary=100, width=64, depth=2, direction="past", pooling=None)
        >>> tokens = torch.tensor([[5, 3, 8, 1]])
        >>> features, cache = net.extend(tokens[:, :3])
        >>> last, cache = net.extend(tokens[:, 3:], cache)
        >>> torch.allclose(net(tokens)[:, 3:], last, atol=1e-5), cache.steps
        (True, 4)
        >>> Transformer(3, patch=4, width=64, depth=2)(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 64])
    """

    def __init__(
        self,
        channels: int | None = None,
        *,
        vocabulary: int | None = None,
        size: Literal["small", "base"] = "small",
        width: int | None = None,
        depth: int | None = None,
        attention_heads: int | None = None,
        direction: Literal["both", "past"] = "both",
        positions: Literal["rotary", "learned"] = "rotary",
        longest: int = 1024,
        patch: int | None = None,
        norm: str = "layer",
        activation: str = "gelu",
        dropout: float = 0.0,
        pooling: StepPooling = "mean",
    ) -> None:
        super().__init__()
        _check(direction, positions, pooling)
        check_dropout(dropout)
        extent, axes = extent_of(SIZES, size, width, depth), 1 if patch is None else 2
        heads = shared_heads(extent.width, attention_heads, HEAD_WIDTH)
        self.features, self.head_width, self.direction = extent.width, extent.width // heads, direction
        # What is read and where it stands share the stream's first variance of 1.
        share = 0.5 if positions == "learned" else 1.0
        self.input = _input(channels, vocabulary, patch, extent.width, share)
        self.positions = None
        if positions == "learned":
            self.positions = LearnedPositions(axes, longest, extent.width, variance=share)
        else:
            check_head_width(self.head_width, axes)
        options = {"activation": activation, "norm": norm, "dropout": dropout, "share": 1.0 / extent.depth}
        self.blocks = nn.ModuleList(TransformerBlock(extent.width, heads, **options) for _ in range(extent.depth))
        self.pool, self.norm = Pool(pooling), StepNorm(norm, extent.width)

    @override
    def forward(
        self, values: Shaped[Tensor, "batch *axis"], lengths: Shaped[Tensor, "..."] | None = None
    ) -> Float[Tensor, "batch *step unit"]:
        if lengths is not None and isinstance(self.input, PatchInput):
            raise RequestError("images of a batch have one size, so there are no lengths; leave them out")
        padding = padding_of(lengths, values)
        read = self.input(blanked(values, padding))  # (batch, *axis) -> (batch, *position, unit)
        sight: Sight = None if padding is None else ~padding[:, None, None]  # (batch, step) -> (batch, 1, 1, step)
        # Padding stands behind all real steps: who sees only the past never sees it.
        hidden, _ = self._through(read, "past" if self.direction == "past" else sight)
        pooled = self.norm(self.pool(hidden, padding))  # (batch, step, unit) -> (batch, unit), with pooling
        return blanked(pooled, padding) if self.pool.pooling is None else pooled

    def extend(
        self, values: Shaped[Tensor, "batch *axis"], cache: Cache | None = None
    ) -> tuple[Float[Tensor, "batch step unit"], Cache]:
        """Features of further steps, as if they had been read together with those in the cache, and the longer cache.

        Args:
            values: the next tokens (batch, step), one or many, or values (batch, step, channel).
            cache: of the steps before; None at the beginning. It stays as it is: two texts can go on from one.

        Raises:
            RequestError: a net that sees both ways, or reads images: every new step would change the old ones.
            ShapeError: another batch than the cache's, or more steps than learned positions reach.
        """
        if self.direction != "past" or isinstance(self.input, PatchInput):
            raise RequestError("only a net over steps that sees the past alone can read on; try direction='past'")
        read = self.input(values)
        if cache is None:
            return self._normed(self._through(read, "past"))
        if len(read) != cache.batch:
            raise ShapeError(f"the cache is of {cache.batch} examples side by side, got {len(read)} to read on")
        steps, before = read.shape[1], cache.steps
        seen = torch.ones(steps, before + steps, dtype=torch.bool, device=read.device).tril(before)
        return self._normed(self._through(read, seen if steps > 1 else None, cache))

    def _normed(self, extended: tuple[Tensor, Cache]) -> tuple[Tensor, Cache]:
        return self.norm(extended[0]), extended[1]

    def _through(self, read: Tensor, sight: Sight, cache: Cache | None = None) -> tuple[Tensor, Cache]:
        """All blocks; what was read (batch, *position, unit) becomes (batch, step, unit)."""
        sizes, start = read.shape[1:-1], 0 if cache is None else cache.steps
        hidden = read.flatten(1, -2)  # (batch, *position, unit) -> (batch, step, unit)
        if self.positions is not None:
            hidden, rotation = hidden + self.positions(sizes, start), None
        else:
            rotation = rotation_of(positions_of(sizes, start=start, device=read.device), self.head_width)
        known = []
        for number, block in enumerate(self.blocks):
            before = None if cache is None else cache.blocks[number]
            hidden, seen = block(hidden, rotation=rotation, sight=sight, before=before)
            known.append(seen)
        return hidden, Cache(blocks=tuple(known))


def _check(direction: str, positions: str, pooling: object) -> None:
    """Refuse modes that do not exist or do not fit together."""
    check_choice("direction", direction, ("both", "past"))
    check_choice("positions", positions, ("rotary", "learned"))
    if direction == "past" and pooling == "first":
        raise RequestError("the first step of a net that sees the past alone has seen nothing else; try pooling='last'")


def _input(
    channels: int | None, vocabulary: int | None, patch: int | None, width: int, variance: float
) -> TokenInput | ValueInput | PatchInput:
    """The first layer for what is to be read."""
    if (channels is None) == (vocabulary is None) or (patch is not None and channels is None):
        raise RequestError(
            "give channels=... for values at each step, channels=... and patch=... for images, or vocabulary=... for "
            f"tokens; got channels={channels}, vocabulary={vocabulary}, patch={patch}"
        )
    if vocabulary is not None:
        return TokenInput(vocabulary, width, variance=variance)
    assert channels is not None
    if patch is not None:
        return PatchInput(channels, width, patch=patch, variance=variance)
    return ValueInput(channels, width, variance=variance)


TRANSFORMER = Net(
    name="transformer",
    summary="text, sequences and images in patches: attention to all steps, or to the past alone",
    source="Vaswani et al. 2017, arXiv:1706.03762; Su et al. 2021, arXiv:2104.09864",
    call=Transformer,
    reads=("image", "sequence", "text"),
    sizes=SIZES,
)
