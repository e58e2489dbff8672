"""Chains of small models: the table, every number of every link, and the figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

import evenkeel as ek
from bench._unchanged.checkups import LastStep, convolutions, layers, squares
from bench._unchanged.facts import Items, lines

OF_CHAIN = (
    *("loss", "known_loss", "starts_at", "output_gradient", "output_gradient_rms", "input_gradient"),
    *("gradient_similarity", "example_gains", "batch", "without_gradient", "frozen", "total_gain"),
    *("expected_gain", "ideal_gain", "ideal_scatter"),
)
OF_LINK = (
    *("kind", "gain", "expected_gain", "ideal_gain", "scatter", "forward_rms", "backward_rms", "similarity", "dead"),
    *("saturated", "contribution", "output_gradient_norm", "exact_cut", "activation", "norm", "width", "input_rms"),
    *("weight_rms", "gradient_rms", "singular_values"),
)
OF_TERM = ("shape", "rms", "ideal_rms", "input_rms", "input_norm", "output_gradient_norm", "gradient_norm")
OF_BRANCH = ("kind", "gain", "expected_gain", "ideal_gain", "contribution")
OF_STEPS = ("name", "gain", "span", "memory")


class Residual(nn.Module):
    """Four blocks of two layers beside a skip, between two linear maps."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(8, 16), nn.Linear(16, 1)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16)) for _ in range(4)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 8) to (batch, 1)."""
        x = self.first(x)
        for block in self.blocks:
            x = x + block(x)
        return self.last(x)


class Functional(nn.Module):
    """Weights that are used by functions, in bfloat16 where autocast says so, with a bypass that concatenates."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Parameter(torch.randn(16, 8) / 3), nn.Parameter(torch.randn(1, 24) / 5)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 8) to (batch, 1)."""
        with torch.autocast("cpu", dtype=torch.bfloat16):
            inside = functional.gelu(functional.linear(x, self.first))
            return torch.cat([inside, x], dim=1) @ self.second.T


class Words(nn.Module):
    """Embedded tokens, an encoder layer with attention, and the mean over steps."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.last = nn.Embedding(20, 16), nn.Linear(16, 3)
        self.encoder = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, norm_first=True)

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, step) to (batch, 3)."""
        return self.last(self.encoder(self.embedding(tokens)).mean(1))


def traced(make: Callable[[], nn.Module], *shape: int, spectrum: int = 0) -> Any:
    """The chain of a model on random inputs of this shape and random numbers to reach."""
    torch.manual_seed(0)
    model = make()
    return ek.trace(model, functional.mse_loss, (torch.randn(*shape), torch.randn(shape[0], 1)), spectrum=spectrum)


def of_words() -> Any:
    torch.manual_seed(0)
    return ek.trace(Words(), functional.cross_entropy, (torch.randint(20, (16, 7)), torch.arange(16) % 3))


def of_network() -> Any:
    """A net and a head of the library."""
    torch.manual_seed(0)
    network = ek.Network(ek.nets.MLP(8, width=16, members=2), ek.heads.Gaussian(16, members=2))
    return ek.trace(network, network.head.loss, (torch.randn(16, 8), torch.randn(16)))


CHAINS: Mapping[str, Callable[[], Any]] = {
    "plain": lambda: traced(lambda: layers(8, *[32] * 6, 1), 32, 8, spectrum=2),
    "saturated": lambda: traced(lambda: layers(8, *[16] * 30, 1, activation=nn.Sigmoid), 32, 8),
    "residual": lambda: traced(Residual, 32, 8),
    "convolutions": lambda: ek.trace(convolutions(), functional.cross_entropy, squares()[0]),
    "lstm": lambda: traced(LastStep, 16, 12, 4),
    "words": of_words,
    "functional-under-autocast": lambda: traced(Functional, 32, 8),
    "network-of-the-library": of_network,
}


def items_of_chain(name: str) -> Items:
    """A chain as table, numbers and figure."""
    chain = CHAINS[name]()
    return {"table": chain.table(depth=3), "numbers": numbers(chain), "figure": chain.figure().replace("><", ">\n<")}


def numbers(chain: Any) -> str:
    """Every number of the whole, of each link at any depth, and of its terms, branches and steps in time."""
    found = [lines(chosen(chain, OF_CHAIN))]
    for depth, link in chain.walk():
        place = f"{'  ' * depth}{link.name}"
        found.append(f"{place}: {lines_of(link, OF_LINK)}")
        found += [f"{place}, weight {term.name}: {lines_of(term, OF_TERM)}" for term in link.terms]
        found += [f"{place}, branch {branch.name}: {lines_of(branch, OF_BRANCH)}" for branch in link.branches]
        over_time = () if link.steps is None else link.steps.directions
        found += [f"{place}, over time: {lines_of(each, OF_STEPS)}" for each in over_time]
    return "\n".join(found)


def chosen(record: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """The named attributes of a record."""
    return {name: getattr(record, name) for name in names}


def lines_of(record: Any, names: tuple[str, ...]) -> str:
    """The named attributes, indented below their record."""
    return "\n    " + lines(chosen(record, names)).replace("\n", "\n    ")
