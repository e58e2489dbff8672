"""Theory of the chain against measured chains: fresh networks of width 256, traced; the difference in decades."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from bench._machine import publish, table
from evenkeel.chain import trace
from evenkeel.chain.theory.expected import chain_gain, chi, fixed_point

WIDTH = 256
MEMBERS = 24
ROWS: tuple[tuple[str, Callable[[Tensor], Tensor], float, int], ...] = (
    ("ReLU, 2 (He)", torch.relu, 2.0, 50),
    ("ReLU, 1 (Glorot)", torch.relu, 1.0, 20),
    ("ReLU, 1/3 (default)", torch.relu, 1 / 3, 20),
    ("tanh, 1 (Glorot)", torch.tanh, 1.0, 50),
    ("tanh, 1/3 (default)", torch.tanh, 1 / 3, 20),
    ("tanh, 25/9", torch.tanh, 25 / 9, 50),
    ("sigmoid, 1/3", torch.sigmoid, 1 / 3, 8),
    ("sigmoid, 1", torch.sigmoid, 1.0, 8),
    ("sigmoid, 2", torch.sigmoid, 2.0, 8),
    ("SELU, 1 (LeCun)", F.selu, 1.0, 50),
    ("GELU, 2", F.gelu, 2.0, 8),
    ("GELU, 1", F.gelu, 1.0, 20),
    ("GELU, 1/3", F.gelu, 1 / 3, 20),
    ("SiLU, 2", F.silu, 2.0, 20),
    ("SiLU, 1/3", F.silu, 1 / 3, 20),
)
SCATTER = ((64, 20, 500), (128, 34, 300), (512, 50, 24))
SEEDS = 5


class Members(nn.Module):
    """Independent networks of one width side by side, each with one example of its own."""

    def __init__(self, function: Callable[[Tensor], Tensor], s: float, members: int, width: int, depth: int) -> None:
        super().__init__()
        self.function = function
        self.weights = nn.ParameterList(torch.randn(members, width, width) * math.sqrt(s / width) for _ in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        """All networks at once, (member, 1, width) to the same."""
        for weight in self.weights:
            x = self.function(x @ weight)
        return x


def gains(
    function: Callable[[Tensor], Tensor], s: float, members: int, width: int, depth: int, seed: int = 0
) -> tuple[Tensor, float]:
    """The total gain of each network from its last activation to its input, and the theory read off the weights."""
    torch.manual_seed(seed)
    x = torch.randn(members, 1, width)
    x = x / x.norm(dim=-1, keepdim=True) * math.sqrt(width / s)
    towards = torch.randn(members, 1, width)
    model = Members(function, s, members, width, depth)
    chain = trace(model, lambda output, _: (output * towards).sum(), (x, None))
    return torch.tensor(chain.example_gains, dtype=torch.float64), chain.expected_gain or math.nan


def main() -> None:
    torch.set_num_threads(1)
    rows = []
    for name, function, s, depth in ROWS:
        found, from_weights = gains(function, s, MEMBERS, WIDTH, depth)
        theory = math.log10(chain_gain(function, depth, weight_variance=s))
        measured = 0.5 * math.log10(found.square().mean().item())
        q = fixed_point(function, weight_variance=s)
        rows.append(
            [
                name,
                f"{q:.3f}",
                f"{chi(function, max(q, 1e-12), weight_variance=s):.4f}",
                depth,
                f"{theory:.3f}",
                f"{math.log10(from_weights):.3f}",
                f"{measured:.3f}",
                f"{measured - theory:+.3f}",
            ]
        )
    header = ["activation, s", "q*", "chi*", "layers", "theory", "expected by trace", "measured", "difference"]
    laws = []
    for width, depth, members in SCATTER:
        found = torch.cat([gains(torch.relu, 2.0, members, width, depth, seed)[0] for seed in range(SEEDS)])
        law, measured = 5 * depth / width, (2 * found.log()).var().item()
        laws.append([width, depth, members * SEEDS, f"{law:.3f}", f"{measured:.3f}", f"{measured / law:.2f}"])
    body = "Log10 of the gain from the last activation to the input (root mean square over "
    body += f"{MEMBERS} networks of width {WIDTH}, one example each); differences in decades.\n\n" + table(header, rows)
    found, _ = gains(F.gelu, 2.0, MEMBERS, WIDTH, 20)
    theory = math.log10(chain_gain(F.gelu, 20, weight_variance=2.0))
    body += f"\n\nWhere theory of infinite width ends: 20 layers of GELU, 2 (q itself wanders): theory {theory:.3f}, "
    body += (
        f"root mean square {0.5 * math.log10(found.square().mean().item()):.3f}, median {found.log10().median():.3f}."
    )
    body += "\n\nScatter of He-initialised ReLU networks: variance of ln(|d_1|²/|d_L|²) over networks, "
    body += "one example each.\n\n"
    body += table(["width", "layers", "networks", "law 5 L / n", "measured", "ratio"], laws)
    publish("chain_theory", "The chain, theory and measurement", "python -m bench.chain_theory", body)


if __name__ == "__main__":
    main()
