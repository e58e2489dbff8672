"""The losses: one function and one module a file, listed by reading this folder.

Each is a function (`losses.focal(logits, target)`) and a module of the same name in CamelCase + `Loss`
(`losses.FocalLoss(gamma=2.0)`), and all take `reduction="mean" | "sum" | "none"`. What they promise together:

    * arithmetic is at least float32, whatever the inputs and under autocast (but for the large products of
      `linear_cross_entropy`, whose inputs may stay halves); the result is float32 or float64;
    * values and gradients stay finite wherever the exact value can be written down;
    * the mean of nothing (no rows, or every row ignored) is 0 with gradient 0;
    * nothing is copied back to the host, so a loss never makes a GPU wait.

`PARTS` holds one record a loss by name: what it is for, where it comes from, which output it takes.
"""

from evenkeel.losses.base import Loss as Loss
from evenkeel.parts import Registry, fill

PARTS: Registry[Loss] = fill(__name__, "loss", globals())
