"""The one legend of axis names: every shape in a signature is written with these words (jaxtyping).

    batch    examples of one step          unit     features of one example         member   networks of one ensemble
    row      examples of a whole table     label    classes or labels               channel  channels of a signal, image
    step     positions in time or text     column   columns of a table              token    vocabulary
    view     embeddings of one batch       key      candidates of a contrastive loss

`*` in front of a name stands for any number of axes. Shapes are checked while the tests run, never in production.
"""

from typing import Literal

from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

Reduction = Literal["mean", "sum", "none"]

__all__ = ["Bool", "Float", "Int", "Reduction", "Shaped", "Tensor"]
