"""Bits per character: how long the text would be, written by the network's own code; comparable across vocabularies.

BPC = -Σ w log2 p(token) / Σ w c(token),   c the number of characters that a token stands for
Source: Shannon 1951, doi:10.1002/j.1538-7305.1951.tb01366.x
"""

import math

from evenkeel.errors import ShapeError
from evenkeel.metrics.base import Metric
from evenkeel.metrics.examples import tokens
from evenkeel.metrics.gather import TensorOrArray, as_double
from evenkeel.metrics.tokens import surprise


def bits_per_character(
    log_probability: TensorOrArray,
    target: TensorOrArray,
    weight: TensorOrArray | None = None,
    *,
    characters: TensorOrArray | None = None,
    ignore_index: int = -100,
) -> float | None:
    """Bits per character from the natural logarithms (row, ...) of the probabilities of the tokens that came.

    `target`, of the same shape, holds those tokens: where it is `ignore_index` the step is left out. `characters`
    (token,) is how many characters (or bytes) each token of the vocabulary stands for; None: one each. None is returned
    where no character is left.

    Raises:
        ShapeError: a token for which `characters` has no entry.

    Example:
        >>> import numpy as np
        >>> bits_per_character(np.log([[0.5, 0.125]]), np.array([[3, 1]]))  # (1 + 3) / 2
        2.0

    """
    surprised = surprise(log_probability, target, weight, ignore_index)
    written = surprised.count
    if characters is not None:
        length = as_double(characters)
        if len(surprised.token) and not (int(surprised.token.min()) >= 0 and int(surprised.token.max()) < len(length)):
            raise ShapeError(
                f"characters must hold one number for each token of the vocabulary, got {len(length)} of them, "
                f"and tokens {int(surprised.token.min())}..{int(surprised.token.max())}"
            )
        written = float((surprised.weight * length[surprised.token]).sum())
    return surprised.nats / written / math.log(2) if written else None


BITS_PER_CHARACTER = Metric(
    name="bits_per_character",
    summary="length of the text in the network's own code",
    source="Shannon 1951, doi:10.1002/j.1538-7305.1951.tb01366.x",
    call=bits_per_character,
    expects=("log-probability",),
    better="lower",
    example=tokens,
    explanation="length of the text in the network's own code; lower is better",
)
