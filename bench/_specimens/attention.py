"""A small causal transformer, with the norms before or after each block."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

HEADS = 4


class Attention(nn.Module):
    """Causal self-attention."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.project = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, step, width = x.shape
        split = self.project(x).view(batch, step, 3, HEADS, width // HEADS).permute(2, 0, 3, 1, 4)
        query, key, value = split.unbind(0)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.merge(mixed.transpose(1, 2).reshape(batch, step, width))


class Block(nn.Module):
    """Attention and a perceptron, each with a skip; the norm stands before each ("pre") or after each sum ("post")."""

    def __init__(self, width: int, place: Literal["pre", "post"]) -> None:
        super().__init__()
        self.place = place
        self.attention = Attention(width)
        self.perceptron = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        if self.place == "post":
            x = self.first(x + self.attention(x))
            return self.second(x + self.perceptron(x))
        x = x + self.attention(self.first(x))
        return x + self.perceptron(self.second(x))


class Transformer(nn.Module):
    """Tokens (batch, step) to logits of the next token (batch, step, token)."""

    def __init__(self, tokens: int, width: int, layers: int, length: int, place: Literal["pre", "post"]) -> None:
        super().__init__()
        self.tokens = nn.Embedding(tokens, width)
        self.positions = nn.Embedding(length, width)
        self.blocks = nn.Sequential(*(Block(width, place) for _ in range(layers)))
        self.norm = nn.LayerNorm(width) if place == "pre" else nn.Identity()
        self.head = nn.Linear(width, tokens)

    def forward(self, x: Tensor) -> Tensor:
        embedded = self.tokens(x) + self.positions(torch.arange(x.shape[1], device=x.device))
        return self.head(self.norm(self.blocks(embedded)))
