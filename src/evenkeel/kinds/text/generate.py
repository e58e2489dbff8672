"""Draw text token by token from a network that has learned to predict the next one.

Each new token extends the state that the net keeps of those before it. A net trained on windows has never seen more
steps than a window: when it is full, its last half is read anew, and reading continues from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from evenkeel.errors import RequestError
from evenkeel.heads.next_token import check_drawing
from evenkeel.heads.tokens import Tokens
from evenkeel.kinds.text.schema import TextSchema
from evenkeel.kinds.text.tokens import Tokenizer
from evenkeel.shapes import Float, Tensor

UNFINISHED = "\ufffd"  # what bytes that are no whole character decode to
LONGEST_CHARACTER = 4  # bytes in UTF-8


def continue_text(
    network: nn.Module,
    schema: TextSchema,
    prompt: object,
    *,
    length: int = 200,
    temperature: float | int = 0.8,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
    on_piece: Callable[[str], object] | None = None,
) -> str:
    """Draw the text that follows a prompt, which is left out; the same generator state gives the same text.

    Args:
        network: net and head, trained on a text.
        schema: of that training.
        prompt: the text that comes before; where it is empty, the text begins as after the end of a line.
        length: tokens to draw.
        temperature: below 1 favours what is likely; 0 takes the most probable token each time.
        top_k: draw among so many most probable tokens only.
        top_p: draw among the most probable tokens that together have this probability.
        generator: of the random draws, on the device of the network.
        on_piece: called with each piece of text as soon as it is whole.

    Raises:
        RequestError: a network that does not generate, a prompt that is no text, or an option that makes no sense.
    """
    if not isinstance(prompt, str):
        raise RequestError(f"prompt must be a text, got {type(prompt).__name__}; an empty one is ''")
    check_drawing(temperature=temperature, top_k=top_k, top_p=top_p)
    head = getattr(network, "head", None)
    if schema.window is None or not isinstance(head, Tokens):
        raise RequestError("this run was not trained to continue a text; train on a text without target for that")
    device = next(network.parameters()).device
    reader = Reader(network.net, schema.window, device)
    options = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "generator": generator}
    writer = Writer(schema.tokens, on_piece)
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            codes = first_codes(schema.tokens, prompt)
            for _ in range(length):
                code = int(head.sample(reader.read(codes), **options))
                writer.add(code)
                codes = [code]
    finally:
        network.train(training)
    return writer.end()


def first_codes(tokens: Tokenizer, prompt: str) -> list[int]:
    """The prompt's tokens; where it has none, those of a new line, or the unknown token."""
    for text in (prompt, "\n"):
        codes = tokens.encode([text])[0].tolist()
        if codes:
            return codes
    return [0]


class Reader:
    """Feed tokens to a net, keeping at most a window of them; gives the features of the last step."""

    def __init__(self, net: Any, window: int, device: torch.device) -> None:
        self.net, self.window, self.device = net, window, device
        self.extend = getattr(net, "extend", None) or getattr(getattr(net, "net", None), "extend", None)
        self.history: list[int] = []
        self.cache: Any = None
        self.kept = 0

    def read(self, codes: list[int]) -> Float[Tensor, "batch unit"]:
        """Features (1, unit) after the last of the new tokens."""
        self.history = (self.history + codes)[-self.window :]
        if self.extend is None:
            return self.net(self._batch(self.history))[:, -1]
        if self.cache is None or self.kept + len(codes) > self.window:
            self.cache, codes = None, self.history if self.cache is None else self.history[-max(1, self.window // 2) :]
            self.kept = 0
        features, self.cache = self.extend(self._batch(codes), self.cache)
        self.kept += len(codes)
        return features[:, -1]

    def _batch(self, codes: list[int]) -> Tensor:
        return torch.tensor([codes], dtype=torch.int32, device=self.device)


@dataclass
class Writer:
    """Turn tokens into text; a character is written once all its bytes have come."""

    tokens: Tokenizer
    on_piece: Callable[[str], object] | None
    text: str = ""

    def __post_init__(self) -> None:
        self.waiting: list[int] = []

    def add(self, code: int) -> None:
        """Add one token."""
        self.waiting.append(code)
        piece = self.tokens.decode(self.waiting)
        in_bytes = self.tokens.unit in ("bytes", "bpe")
        if not (in_bytes and piece.endswith(UNFINISHED) and len(self.waiting) < LONGEST_CHARACTER):
            self._write(piece)

    def end(self) -> str:
        """Write what is left, and give the whole text."""
        if self.waiting:
            self._write(self.tokens.decode(self.waiting))
        return self.text

    def _write(self, piece: str) -> None:
        self.waiting, self.text = [], self.text + piece
        if self.on_piece is not None and piece:
            self.on_piece(piece)
