"""Recurrent net: GRU, LSTM or plain layers over steps, one upon the other; sequences, signals and text.

    input -> [norm, recurrent layer, +] x depth -> last, mean or attention over steps -> norm

Source: Cho et al. 2014, arXiv:1406.1078 (GRU); Hochreiter and Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735
(LSTM); Elman 1990, doi:10.1207/s15516709cog1402_1 (plain). The state that a one-way net has at a step is all it keeps
of those before it, so `extend` reads on at the same cost however much it has read. First weights: the input gives units
of variance 1; those of the layers, gate by gate, are in `evenkeel.nets.recurrent_layers`.
"""

from __future__ import annotations

from typing import Literal

from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence
from typing_extensions import override

from evenkeel.errors import RequestError, ShapeError
from evenkeel.nets.base import Net
from evenkeel.nets.blocks import Extent, check_choice, check_dropout, extent_of
from evenkeel.nets.inputs import TokenInput, ValueInput
from evenkeel.nets.recurrent_layers import Cell, ReadingDirection, RecurrentBlock, State, Steps, state_after
from evenkeel.nets.step_norm import StepNorm
from evenkeel.nets.steps import AttentionPool, EndsPool, Pool, blanked, padding_of
from evenkeel.shapes import Float, Shaped, Tensor

SIZES = {"small": Extent(width=128, depth=2), "base": Extent(width=512, depth=4)}
RecurrentPooling = Literal["last", "mean", "attention"] | None


class RNN(nn.Module):
    """Vectors or tokens at each step to features.

    Args:
        channels: numbers at each step; or else
        vocabulary: number of tokens.
        cell: gru, lstm, or rnn: the plain one, which forgets within some ten steps.
        size: `small` (width 128, 2 layers) or `base` (width 512, 4 layers).
        width: units at each step, an even number for both directions.
        depth: recurrent layers, each beside the identity.
        direction: `past`: each step has read those before it; `both`: half of the units read backwards.
        norm: layer, rms or None; others would carry the future to the past.
        activation: of an rnn: tanh or relu.
        dropout: share of each layer's units silenced while training, off when predicting.
        pooling: last step, mean or attention, or None: features of every step. The last step is each example's own,
            and where both directions read, the last that each has read.
        span: steps to remember: the gates start for memories of 1 to so many steps (chrono initialisation).

    Shapes:
        values (batch, step, channel) or tokens (batch, step), with lengths (batch,) if need be -> (batch, unit), or
        (batch, step, unit) without pooling. Lengths on a device are waited for: leave them on the CPU.

    Raises:
        RequestError: an option that does not exist or does not fit.
        ShapeError: inputs of other axes, channels or type.
        DataError: a token beyond the vocabulary, lengths beyond the steps, or of 0.

    Example:
        >>> import torch
        >>> net = RNN(3, cell="lstm", width=16, direction="both", pooling="attention")
        >>> net(torch.zeros(2, 50, 3), torch.tensor([50, 20])).shape
        torch.Size([2, 16])
        >>> net = RNN(vocabulary=100, width=16, pooling=None)
        >>> tokens = torch.tensor([[5, 3, 8, 1]])
        >>> features, state = net.extend(tokens[:, :3])
        >>> last, state = net.extend(tokens[:, 3:], state)
        >>> torch.allclose(net(tokens)[:, 3:], last, atol=1e-5), state.steps
        (True, 4)
    """

    def __init__(
        self,
        channels: int | None = None,
        *,
        vocabulary: int | None = None,
        cell: Cell = "gru",
        size: Literal["small", "base"] = "small",
        width: int | None = None,
        depth: int | None = None,
        direction: ReadingDirection = "past",
        norm: str | None = "layer",
        activation: Literal["tanh", "relu"] = "tanh",
        dropout: float = 0.0,
        pooling: RecurrentPooling = "last",
        span: int | None = None,
    ) -> None:
        super().__init__()
        check_choice("pooling", pooling, ("last", "mean", "attention", None))
        check_dropout(dropout)
        extent = extent_of(SIZES, size, width, depth)
        self.features, self.direction, self.pooling = extent.width, direction, pooling
        self.input = _input(channels, vocabulary, extent.width)
        options = {"cell": cell, "activation": activation, "direction": direction, "norm": norm}
        self.blocks = nn.ModuleList(
            RecurrentBlock(extent.width, **options, dropout=dropout, span=span, share=1.0 / extent.depth)
            for _ in range(extent.depth)
        )
        self.pool = _pool(pooling, direction, extent.width)
        self.norm = None if norm is None else StepNorm(norm, extent.width)

    @override
    def forward(
        self, values: Shaped[Tensor, "batch *axis"], lengths: Shaped[Tensor, "..."] | None = None
    ) -> Float[Tensor, "batch *step unit"]:
        padding = padding_of(lengths, values)
        read = self.input(blanked(values, padding))  # (batch, step) or (batch, step, channel) -> (batch, step, unit)
        # There is no packing of nothing.
        known = None if lengths is None or not len(read) else lengths.cpu()
        hidden, _ = self._through(_packed(read, known))  # (batch, step, unit) -> the same, or packed (real step, unit)
        # (batch, step, unit) -> (batch, unit), or as it was without pooling
        pooled = self._normed(self.pool(_padded(hidden, values.shape[1]), padding))
        return blanked(pooled, padding) if self.pooling is None else pooled

    def extend(
        self, values: Shaped[Tensor, "batch *axis"], state: State | None = None
    ) -> tuple[Float[Tensor, "batch step unit"], State]:
        """Features of further steps, as if they had been read together with those before, and the state after them.

        Args:
            values: the next tokens (batch, step), one or many, or values (batch, step, channel).
            state: after the steps before; None at the beginning. It stays as it is: two texts can go on from one.

        Raises:
            RequestError: a net that reads both ways: every new step would change the old ones.
            ShapeError: another batch than the state's.
        """
        if self.direction != "past":
            raise RequestError("only a net that reads the past alone can read on; try direction='past'")
        read = self.input(values)
        if state is not None and len(read) != state.batch:
            raise ShapeError(f"the state is of {state.batch} examples side by side, got {len(read)} to read on")
        hidden, after = self._through(read, state)
        return self._normed(_padded(hidden, read.shape[1])), after

    def _through(self, read: Steps, state: State | None = None) -> tuple[Steps, State]:
        """All layers, and the state after the last step."""
        hidden, ends = read, []
        for number, block in enumerate(self.blocks):
            hidden, end = block(hidden, None if state is None else state.layer(number))
            ends.append(end)
        steps = read.shape[1] if isinstance(read, Tensor) else len(read.batch_sizes)
        return hidden, state_after(ends, steps + (0 if state is None else state.steps))

    def _normed(self, features: Tensor) -> Tensor:
        return features if self.norm is None else self.norm(features)


def _packed(read: Tensor, lengths: Tensor | None) -> Steps:
    """The real steps alone, where lengths are known."""
    if lengths is None:
        return read
    return pack_padded_sequence(read, lengths, batch_first=True, enforce_sorted=False)


def _padded(hidden: Steps, steps: int) -> Tensor:
    """The opposite of `_packed`, with zeros for padding."""
    if isinstance(hidden, PackedSequence):
        return pad_packed_sequence(hidden, batch_first=True, total_length=steps)[0]
    return hidden


def _input(channels: int | None, vocabulary: int | None, width: int) -> TokenInput | ValueInput:
    """The first layer for what is to be read."""
    if vocabulary is not None and channels is None:
        return TokenInput(vocabulary, width)
    if channels is not None and vocabulary is None:
        return ValueInput(channels, width)
    raise RequestError(
        "give channels=... for values at each step, or vocabulary=... for tokens; "
        f"got channels={channels}, vocabulary={vocabulary}"
    )


def _pool(pooling: RecurrentPooling, direction: ReadingDirection, width: int) -> nn.Module:
    """The layer that makes one vector of all steps."""
    if pooling == "attention":
        return AttentionPool(width)
    return EndsPool() if pooling == "last" and direction == "both" else Pool(pooling)


RNN_NET = Net(
    name="rnn",
    summary="sequences and text step by step: GRU, LSTM or plain layers beside the identity",
    source="Cho et al. 2014, arXiv:1406.1078; Hochreiter and Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735",
    call=RNN,
    reads=("sequence", "text"),
    sizes=SIZES,
)
