"""A predictive distribution for every row: the equal mixture of what the members of an ensemble predict.

Everything is NumPy float64 in the target's units. A mixture's quantile has no formula and is computed by bisection on
its cumulative distribution; families give theirs through `scipy.special`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from evenkeel.errors import RequestError
from evenkeel.shapes import Tensor

Array = NDArray[np.float64]
Parameters = Mapping[str, Array]
RealNumbers = float | int | Sequence[float | int] | NDArray[Any] | Tensor
HALVINGS = 80  # of the bracket: float64 is exhausted by then
# Standard deviations around the mean in which every quantile that float64 can tell from 0 and 1 is searched first.
BRACKET = 10.0
TAILS, SMALLEST_TAIL = 6, 1e-9  # lower tails among which the shortest interval of counts is sought; no quantile of 0


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family of distributions by its functions of (value, parameters), all elementwise."""

    name: str
    discrete: bool
    mean: Callable[[Parameters], Array]
    variance: Callable[[Parameters], Array]
    cdf: Callable[[Array, Parameters], Array]
    log_density: Callable[[Array, Parameters], Array]
    draw: Callable[[np.random.Generator, Parameters, int], Array]


def _normal_draw(generator: np.random.Generator, p: Parameters, count: int) -> Array:
    return generator.normal(p["mean"], p["spread"], (count, *p["mean"].shape))


NORMAL = Family(
    name="normal",
    discrete=False,
    mean=lambda p: p["mean"],
    variance=lambda p: p["spread"] ** 2,
    cdf=lambda y, p: special.ndtr((y - p["mean"]) / p["spread"]),
    log_density=lambda y, p: (
        -0.5 * ((y - p["mean"]) / p["spread"]) ** 2 - np.log(p["spread"]) - 0.5 * np.log(2 * np.pi)
    ),
    draw=_normal_draw,
)


def _gamma_log_density(y: Array, p: Parameters) -> Array:
    """Of mean m and shape k; between 0 and `floor` the density is its average there, finite at exactly 0 too."""
    shape, rate, floor = p["shape"], p["shape"] / p["mean"], p["floor"]
    above = np.maximum(y, np.maximum(floor, np.finfo(np.float64).tiny))
    density = shape * np.log(rate) + (shape - 1) * np.log(above) - above * rate - special.gammaln(shape)
    x = np.maximum(floor * rate, np.finfo(np.float64).tiny)
    with np.errstate(divide="ignore"):
        share = np.log(special.gammainc(shape, x))
    # The first term of the series is below the share, and finite where the share underflows.
    share = np.maximum(share, shape * np.log(x) - x - special.gammaln(shape + 1))
    low = share - np.log(np.maximum(floor, np.finfo(np.float64).tiny))
    return np.where(y < 0, -np.inf, np.where(y < floor, low, density))


GAMMA = Family(
    name="gamma",
    discrete=False,
    mean=lambda p: p["mean"],
    variance=lambda p: p["mean"] ** 2 / p["shape"],
    cdf=lambda y, p: special.gammainc(p["shape"], np.maximum(y, 0) * p["shape"] / p["mean"]),
    log_density=_gamma_log_density,
    draw=lambda generator, p, count: generator.gamma(
        p["shape"], p["mean"] / p["shape"], (count, *np.broadcast_shapes(p["mean"].shape, p["shape"].shape))
    ),
)
# Mean m and size r: variance m + m²/r; r to infinity is Poisson.
NEGATIVE_BINOMIAL = Family(
    name="negative-binomial",
    discrete=True,
    mean=lambda p: p["mean"],
    variance=lambda p: p["mean"] + p["mean"] ** 2 / p["size"],
    cdf=lambda y, p: np.where(
        y < 0, 0.0, special.betainc(p["size"], np.floor(np.maximum(y, 0)) + 1, p["size"] / (p["size"] + p["mean"]))
    ),
    log_density=lambda y, p: np.where(
        (y < 0) | (y != np.floor(y)),
        -np.inf,
        special.gammaln(np.maximum(y, 0) + p["size"])
        - special.gammaln(p["size"])
        - special.gammaln(np.maximum(y, 0) + 1)
        - p["size"] * np.log1p(p["mean"] / p["size"])
        + special.xlogy(y, p["mean"] / (p["size"] + p["mean"])),
    ),
    draw=lambda generator, p, count: generator.poisson(
        generator.gamma(
            p["size"], p["mean"] / p["size"], (count, *np.broadcast_shapes(p["mean"].shape, p["size"].shape))
        )
    ).astype(np.float64),
)


ENDS = {"low 5%": 0.05, "high 95%": 0.95}  # of the central 90 % interval


class Predictive:
    """The distribution predicted for each row, in the target's units.

    Args:
        family: normal, gamma or negative binomial.
        parameters: arrays (member, row), mixed with equal weights.

    Example:
        >>> from evenkeel.heads.predictive import NORMAL, Predictive
        >>> two = Predictive(NORMAL, {"mean": np.array([[-1.0], [1.0]]), "spread": np.ones((2, 1))})
        >>> float(two.mean[0]), round(float(two.std[0]) ** 2, 6)
        (0.0, 2.0)
    """

    def __init__(self, family: Family, parameters: Parameters) -> None:
        shape = np.broadcast_shapes(*(np.shape(value) for value in parameters.values()))
        self.family = family
        self.parameters = {
            name: np.broadcast_to(np.asarray(value, np.float64), shape) for name, value in parameters.items()
        }

    def __len__(self) -> int:
        return next(iter(self.parameters.values())).shape[1]

    def __repr__(self) -> str:
        members, rows = next(iter(self.parameters.values())).shape
        return f"Predictive({rows} rows, mixture of {members} {self.family.name} distributions)"

    @property
    def mean(self) -> Array:
        """Mean of each row, (row,)."""
        return self.family.mean(self.parameters).mean(axis=0)

    @property
    def std(self) -> Array:
        """Standard deviation of each row, (row,): the members' own spread and their disagreement."""
        means = self.family.mean(self.parameters)
        return np.sqrt(self.family.variance(self.parameters).mean(axis=0) + means.var(axis=0))

    def cdf(self, value: RealNumbers) -> Array:
        """P(Y <= value) of each row; `value` is one number or one for each row."""
        return self.family.cdf(np.asarray(value, dtype=np.float64), self.parameters).mean(axis=0)

    def log_prob(self, value: RealNumbers) -> Array:
        """Log density (log probability of counts) of each row, in nats per unit of the target."""
        each = self.family.log_density(np.asarray(value, dtype=np.float64), self.parameters)
        return special.logsumexp(each, axis=0) - np.log(each.shape[0])

    def quantile(self, level: RealNumbers) -> Array:
        """Values below which a share of `level` lies: a number gives (row,), several levels give (level, row).

        Raises:
            RequestError: a level outside (0, 1).
        """
        levels = np.asarray(level, dtype=np.float64)
        if not ((levels > 0) & (levels < 1)).all():
            raise RequestError(f"quantile levels lie strictly between 0 and 1, got {level}; a median is 0.5")
        quantiles = np.stack([self._quantile(one) for one in np.atleast_1d(levels)])
        return quantiles if levels.ndim else quantiles[0]

    def _quantile(self, level: float) -> Array:
        if self.family.name == "normal" and len(self.parameters["mean"]) == 1:  # nothing is mixed: there is a formula
            return self.parameters["mean"][0] + self.parameters["spread"][0] * special.ndtri(level)
        low, high = self._bracket(level)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            below = self.cdf(middle) < level
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        # The smallest whole number whose share reaches the level: `high` is at or just above it.
        return np.floor(high) if self.family.discrete else high

    def _bracket(self, level: float) -> tuple[Array, Array]:
        """Values on both sides of the quantile, widened until they are."""
        reach = BRACKET * self.std + 1e-12 + np.abs(self.mean) * 1e-9
        low, high = self.mean - reach, self.mean + reach
        if self.family.name != "normal":
            low = np.full_like(low, -1.0 if self.family.discrete else 0.0)
        while (short := self.cdf(high) < level).any():
            high = np.where(short, high + 2 * (high - low), high)
        while self.family.name == "normal" and (over := self.cdf(low) > level).any():
            low = np.where(over, low - 2 * (high - low), low)
        return low, high

    def interval(self, share: float = 0.9) -> tuple[Array, Array]:
        """The interval that holds this share: with equal tails, or for counts the shortest one.

        Counts have no tail of 5 % below where 0 alone is likelier than that: equal tails would hold far too much.
        """
        if not self.family.discrete:
            low, high = self.quantile([(1 - share) / 2, (1 + share) / 2])
            return low, high
        below = np.linspace(0.0, 1.0 - share, TAILS)
        lows = self.quantile(np.maximum(below, SMALLEST_TAIL))
        highs = self.quantile(np.minimum(below + share, 1.0 - SMALLEST_TAIL))
        best = np.argmin(highs - lows, axis=0)[None]
        return np.take_along_axis(lows, best, axis=0)[0], np.take_along_axis(highs, best, axis=0)[0]

    def sample(self, count: int = 1, *, seed: int = 0) -> Array:
        """Random draws, (count, row)."""
        generator = np.random.default_rng(seed)
        draws = self.family.draw(generator, self.parameters, count)
        member = generator.integers(draws.shape[1], size=(count, 1, draws.shape[2]))
        return np.take_along_axis(draws, member, axis=1)[:, 0]


def ends_of(distribution: Predictive) -> dict[str, Array]:
    """The quantiles that bound the central 90 % of each row, by the names of their columns."""
    return dict(zip(ENDS, distribution.quantile(list(ENDS.values())), strict=True))
