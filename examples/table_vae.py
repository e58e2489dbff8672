"""A variational auto-encoder of a table: how probable is a row, and what would another one be?

    python examples/table_vae.py DATA_FOLDER

Energy: 768 buildings, 8 numbers that describe each, and its heating load. The code of a building is a few numbers drawn
from a normal; a decoder gives a normal for each column from it. What is maximised is the ELBO, a lower bound on the log
probability of a row:

    ELBO = E[ ln p(row | code) ] - KL( q(code | row) || N(0, 1) )      [nats per row]

The columns hold few distinct values, and a density can be as high as one likes on a lattice. So every number gets noise
of a tenth of its column's deviation: the bound is on the probability of the noisy row, which cannot run away.

Reached on held-out rows of three splits: -2.39, -2.17 and -2.23 nats with 4 or 5 of 6 units active, where one normal of
any covariance has -6.55 and independent normals have -12.75 on average. Samples have the correlations of the table to
within 0.12, and the orientation, on which nothing depends, is as varied in them as in the table.
"""

from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor, nn

import evenkeel as ek

COLUMNS = ("compactness", "surface", "walls", "roof", "height", "orientation", "glazing", "glazed side", "heating")
NOISE = 0.1  # of a column's standard deviation
UNITS = 6  # of the code


def read(folder: Path, split: int) -> tuple[Tensor, Tensor]:
    """One of the 20 given splits: rows to train and to test, (row, column), mean 0 and deviation 1 over the former."""
    rows = torch.from_numpy(np.loadtxt(folder / "data.txt", dtype=np.float32))
    train, test = (rows[np.loadtxt(folder / f"index_{part}_{split}.txt", dtype=int)] for part in ("train", "test"))
    mean, deviation = train.mean(0), train.std(0)
    return (train - mean) / deviation, (test - mean) / deviation


def noisy(rows: Tensor) -> Tensor:
    """The rows as the model sees them, with new noise each time."""
    return rows + NOISE * torch.randn_like(rows)


class Decoder(nn.Module):
    """Codes (row, unit) to the mean and log-variance of each column, (row, column, 2)."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.net = ek.nets.MLP(UNITS, width=128)
        self.last = nn.Linear(self.net.features, 2 * columns)

    def forward(self, code: Tensor) -> Tensor:
        """(row, unit) to (row, column, 2)."""
        return self.last(self.net(code)).unflatten(-1, (-1, 2))


def build(columns: int) -> tuple[ek.Network, ek.heads.Latent]:
    """The network and its head; `constant` puts the ln 2π into the loss, so that minus the loss is the ELBO."""
    net = ek.nets.MLP(columns, width=128)
    options = {"constant": True}
    head = ek.heads.Latent(net.features, units=UNITS, decoder=Decoder(columns), loss="gaussian_nll", options=options)
    return ek.Network(net, head), head


def train(rows: Tensor, updates: int, seed: int) -> tuple[ek.Network, ek.heads.Latent]:
    """A network whose loss is minus the ELBO; the KL gains weight over the first fifth, lest the code collapse."""
    torch.manual_seed(seed)
    network, head = build(rows.shape[1])
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, updates)
    for update in track(range(updates), description="training", console=Console(stderr=True)):
        head.beta = min(1.0, 5 * (update + 1) / updates)
        batch = noisy(rows[torch.randint(len(rows), (128,))])
        optimizer.zero_grad()
        network.loss(batch, batch).backward()
        optimizer.step()
        slower.step()
    return network, head


class Score(NamedTuple):
    """ELBO and KL in nats per row, and how many of the code's dimensions say anything."""

    elbo: float
    kl: float
    active: int


@torch.no_grad()
def evaluate(network: ek.Network, rows: Tensor, draws: int = 50) -> Score:
    """The ELBO over several draws of noise and code.

    In evaluation mode the code would be its mean, and that gives no bound: the network stays in training mode, where
    the code is drawn; it has no dropout that would mind.
    """
    network.train()
    many = noisy(rows.repeat(draws, 1))
    output = network(many)
    return Score(
        elbo=-network.head.loss(output, many).item(),
        kl=ek.metrics.kl(output),
        active=int(ek.metrics.active_units(output) or 0),
    )


def normal_score(train_rows: Tensor, rows: Tensor, covariance: str) -> float:
    """Mean log probability of noisy rows under one normal, with independent columns or any covariance."""
    found = noisy(train_rows.repeat(50, 1)).T.double().cov()
    found = torch.diag(found.diagonal()) if covariance == "independent" else found
    normal = torch.distributions.MultivariateNormal(train_rows.mean(0).double(), found)
    return normal.log_prob(noisy(rows.repeat(50, 1)).double()).mean().item()


@torch.no_grad()
def sample(head: ek.heads.Latent, count: int) -> Tensor:
    """New rows: `head.sample` would give the mean of each column; a row is drawn from its normal."""
    mean, log_variance = head.decoder(torch.randn(count, UNITS)).unbind(-1)
    drawn = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
    return drawn * head.spread.float() + head.center.float()


@click.command()
@click.argument("folder", metavar="DATA_FOLDER|$EVENKEEL_DATA", envvar="EVENKEEL_DATA", type=click.Path(path_type=Path))
@click.option("--updates", default=6000, show_default=True, help="Steps of gradient descent.")
@click.option("--split", default=0, show_default=True, type=click.IntRange(0, 19), help="Which of the given splits.")
@click.option("--seed", default=0, show_default=True)
def main(folder: Path, updates: int, split: int, seed: int) -> None:
    """Learn the distribution of a table, and draw new rows from it."""
    place = folder / "uci-energy"
    if not place.is_dir():
        raise click.ClickException(f"needs {place}: name the folder that holds uci-energy/, or set EVENKEEL_DATA to it")
    torch.set_num_threads(1)
    rows, held = read(place, split)
    network, head = train(rows, updates, seed)
    table = Table("model of a row", "log probability or ELBO [nats]", "KL [nats]", "active units")
    table.add_row("independent normals, held-out rows", f"{normal_score(rows, held, 'independent'):.2f}", "", "")
    table.add_row("normal, any covariance, held-out rows", f"{normal_score(rows, held, 'any'):.2f}", "", "")
    for name, part in (("VAE, training rows", rows), ("VAE, held-out rows", held)):
        score = evaluate(network, part)
        table.add_row(name, f"{score.elbo:.2f}", f"{score.kl:.2f}", f"{score.active} of {UNITS}")
    drawn = sample(head, 5000)
    moments = Table("column", "mean of samples (data 0)", "deviation of samples (data 1)")
    for name, mean, deviation in zip(COLUMNS, drawn.mean(0), drawn.std(0), strict=True):
        moments.add_row(name, f"{mean:.2f}", f"{deviation:.2f}")
    gap = (drawn.T.corrcoef() - rows.T.corrcoef()).abs().max()
    console = Console()
    console.print(table, moments, f"largest error of a correlation between columns: {gap:.2f}")


if __name__ == "__main__":
    main()
