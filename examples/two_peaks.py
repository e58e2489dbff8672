"""Two peaks and one normal: what it means that the Kullback-Leibler divergence is not symmetric.

    python examples/two_peaks.py --out two_peaks.svg

P is a mixture of two normals, Q(m, s) one normal. Both fits start from the same Q and descend the same function,
`ek.losses.kl_divergence`, with its arguments exchanged:

    D(P||Q) = ∫ p ln(p / q)   is large where P is and Q is not: Q must cover both peaks. At the minimum it has the mean
                              and the deviation of P, and much of its mass where P has next to none.
    D(Q||P) = ∫ q ln(q / p)   is large where Q is and P is not: Q must keep out of the valley, and picks one peak.

Reached: D(P||Q) gives m = 0.600, s = 1.990, the moments of P; D(Q||P) gives m = 1.999, s = 0.601, the heavier peak
(2, 0.6) and nothing of the other. Maximum likelihood fits in the first way, a variational posterior in the second: that
is why the one blurs, and the other is too sure of itself.
"""

from pathlib import Path
from typing import Literal, NamedTuple

import click
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch.distributions import Categorical, MixtureSameFamily, Normal

import evenkeel as ek
from evenkeel import svg

Direction = Literal["D(P||Q)", "D(Q||P)"]
START = (0.6, 2.0)  # mean and standard deviation from which both fits set out


class Fit(NamedTuple):
    """The normal that was found, and the divergence that is left, in nats."""

    mean: float
    deviation: float
    divergence: float


def two_peaks() -> MixtureSameFamily:
    """P: 35 % around -2, 65 % around 2, with a valley between them; in float64, as is all that follows."""
    share = torch.tensor([0.35, 0.65], dtype=torch.float64)
    peaks = Normal(torch.tensor([-2.0, 2.0], dtype=torch.float64), torch.tensor([0.5, 0.6], dtype=torch.float64))
    return MixtureSameFamily(Categorical(share), peaks)


def fit(p: MixtureSameFamily, direction: Direction, updates: int) -> Fit:
    """The normal nearest to P in this direction, by gradient descent on the integral."""
    mean = torch.tensor(START[0], dtype=torch.float64, requires_grad=True)
    log_deviation = torch.tensor(START[1], dtype=torch.float64).log().requires_grad_()
    optimizer = torch.optim.Adam([mean, log_deviation], lr=0.05)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, updates)
    loss = torch.tensor(torch.inf)
    for _ in track(range(updates), description=direction, console=Console(stderr=True)):
        q = Normal(mean, log_deviation.exp())
        first, second = (p, q) if direction == "D(P||Q)" else (q, p)
        loss = ek.losses.kl_divergence(first, second)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        slower.step()
    return Fit(mean.item(), log_deviation.exp().item(), loss.item())


def picture(p: MixtureSameFamily, fits: dict[Direction, Fit]) -> str:
    """The density of P and of both fits, as SVG."""
    x = torch.linspace(-6.0, 7.0, 200, dtype=torch.float64)
    curves = [svg.Series(name="P, two peaks", x=x.numpy(), y=p.log_prob(x).exp().numpy(), colour=svg.INK)]
    for number, (direction, found) in enumerate(fits.items()):
        density = Normal(found.mean, found.deviation).log_prob(x).exp()
        curves.append(svg.Series(name=f"Q by {direction}", x=x.numpy(), y=density.numpy(), colour=svg.colour(number)))
    return svg.line_chart(
        curves, title="One normal for two peaks", x_label="x", y_label="density", include=[0.0], width=640, height=320
    )


def compare(updates: int) -> tuple[MixtureSameFamily, dict[Direction, Fit]]:
    """P, and its nearest normal in each direction."""
    p = two_peaks()
    return p, {"D(P||Q)": fit(p, "D(P||Q)", updates), "D(Q||P)": fit(p, "D(Q||P)", updates)}


@click.command()
@click.option("--updates", default=400, show_default=True, help="Steps of gradient descent for each direction.")
@click.option("--out", default="two_peaks.svg", show_default=True, type=click.Path(path_type=Path), help="The picture.")
def main(updates: int, out: Path) -> None:
    """Approximate a distribution of two peaks by one normal, in both directions of the divergence."""
    torch.set_num_threads(1)
    p, fits = compare(updates)
    table = Table("minimised", "mean", "deviation", "divergence left [nats]")
    table.add_row("P itself", f"{p.mean.item():.3f}", f"{p.stddev.item():.3f}", "")
    for direction, found in fits.items():
        table.add_row(direction, f"{found.mean:.3f}", f"{found.deviation:.3f}", f"{found.divergence:.3f}")
    Console().print(table)
    out.write_text(picture(p, fits))
    print(f"picture: {out}")


if __name__ == "__main__":
    main()
