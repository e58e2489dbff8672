"""The surprise at the tokens that came, row by row, those left out counted for nothing."""

from dataclasses import dataclass

import torch
from torch import Tensor

from evenkeel.metrics.gather import TensorOrArray, as_double, as_tensor, pair, row_weight


@dataclass(frozen=True, kw_only=True)
class Surprise:
    """Total surprise [nats] and weighted number of tokens, and the tokens (step,) with the weight of each."""

    nats: float
    count: float
    token: Tensor
    weight: Tensor


def surprise(
    log_probability: TensorOrArray, target: TensorOrArray, weight: TensorOrArray | None, ignore_index: int
) -> Surprise:
    """Add up -log p over all tokens but those whose target is `ignore_index`."""
    logs, _ = pair(log_probability, target)
    tokens = as_tensor(target).long()
    rows = row_weight(weight, len(tokens)).reshape(-1, *[1] * (tokens.ndim - 1)).expand(tokens.shape)
    kept = tokens != ignore_index
    token, share = tokens[kept], rows[kept]
    # A weight of 0 removes a token even where it was thought impossible.
    nats = torch.where(share == 0, 0.0, -share * as_double(logs)[kept])
    return Surprise(nats=float(nats.sum()), count=float(share.sum()), token=token, weight=share)
