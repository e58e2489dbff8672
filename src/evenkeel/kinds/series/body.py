"""Map a window to features: a net on the window without level and scale, the window itself, and its level and scale.

    z = (window - level) / scale,  level its mean, scale its standard deviation     [no unit]
    features = net(z), z, level, scale, center, spread

The head is one linear map of these, so that a linear map of the window to all steps to come stands beside the net: a
long skip connection, and for many series already the better half of a forecast.
Source: Zeng et al. 2023, arXiv:2205.13504 (linear maps); Nie et al. 2023, arXiv:2211.14730 (patches, shared weights);
Kim et al. 2022, openreview cGDAkQo1C0p (level and scale of the window)
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn
from typing_extensions import override

from evenkeel.errors import RequestError
from evenkeel.kinds.base import Build
from evenkeel.kinds.body import build_net, features_of, takes
from evenkeel.kinds.series.schema import SeriesSchema
from evenkeel.nets import PARTS as NETS
from evenkeel.nets.base import Body, members_of
from evenkeel.shapes import Float, Int, Tensor

# Steps of a sequence net: a window is read in patches of so many values each that there are about as many patches.
PATCHES = 24
# Least scale of a window, in spreads of its series: a flat stretch says nothing of how far the next step may go.
LEAST_SCALE = 0.05

WindowForm = Literal["numbers", "steps"]


class SeriesBody(nn.Module):
    """Run a net on windows without level and scale, and hand both on beside its features.

    Args:
        net: reads z as numbers (batch, step), or as steps (batch, patch, value).
        reads: which of these.
        patch: values of a patch.
        scales: center and spread of each series, (2, channel).

    Shapes:
        window (batch, step), standardised as its series, and series (batch,), its number -> (batch, unit).
    """

    scales: Tensor

    def __init__(self, net: nn.Module, reads: WindowForm, patch: int, scales: Float[Tensor, "place channel"]) -> None:
        super().__init__()
        self.net, self.reads, self.patch = net, reads, patch
        self.register_buffer("scales", scales.float(), persistent=False)

    @override
    def forward(
        self, window: Float[Tensor, "batch step"], series: Int[Tensor, "batch"]
    ) -> Float[Tensor, "*lead batch unit"]:
        level = window.mean(1, keepdim=True)
        scale = window.std(1, keepdim=True, correction=0).clamp(min=LEAST_SCALE)
        plain = (window - level) / scale
        features = self.net(plain if self.reads == "numbers" else patches(plain, self.patch))
        if not isinstance(features, Tensor) or features.shape[-2:-1] != window.shape[:1] or features.dim() > 3:
            came = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
            raise RequestError(f"a net must give features of shape (batch, unit), got {came} for {len(window)} windows")
        known = torch.cat([plain, level, scale, self.scales[:, series].T], dim=1)
        return torch.cat([features, known.expand(*features.shape[:-1], -1)], dim=-1)


def patches(window: Float[Tensor, "batch step"], size: int) -> Float[Tensor, "batch patch value"]:
    """The newest whole patches of a window, oldest first.

    Example:
        >>> patches(torch.arange(5.0)[None], 2).tolist()
        [[[1.0, 2.0], [3.0, 4.0]]]
    """
    return window[:, window.shape[1] % size :].unflatten(1, (-1, size))


def series_body(build: Build[SeriesSchema]) -> Body:
    """Build our net by the plan, or take the user's, which reads z (batch, window) unless it is a net of ours."""
    schema = build.schema
    patch = max(1, schema.window // PATCHES)
    if build.given is not None:
        steps = type(build.given) in [part.call for part in NETS.values() if "sequence" in part.reads]
        body = SeriesBody(build.given, "steps" if steps else "numbers", 1, schema.scales)
    elif "table" in NETS[build.plan.net].reads:
        net = build_net(build, "table", numbers=schema.window)
        body = SeriesBody(net, "numbers", patch, schema.scales)
    else:
        sizes = {"channels": patch, **({"dimensions": 1} if takes(build, "dimensions") else {})}
        body = SeriesBody(build_net(build, "sequence", **sizes), "steps", patch, schema.scales)
    two = {"window": torch.zeros(2, schema.window), "series": torch.zeros(2, dtype=torch.int64)}
    description = (
        f"(batch, {schema.window}{', 1' if body.reads == 'steps' else ''}), a window without its level and scale"
    )
    return Body(module=body, features=features_of(body, two, description), members=members_of(body.net))
