"""evenkeel: neural networks that train soundly, and the reason when they do not.

    run = evenkeel.fit("houses.csv", target="price")
    run.predict("new_houses.csv")

Names are imported when they are first used, so that `import evenkeel` costs little more than `import torch`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from evenkeel.version import VERSION

__version__ = VERSION

_PLACES = {
    "Network": "evenkeel.network",
    "Run": "evenkeel.run.run",
    "checkup": "evenkeel.doctor",
    "fit": "evenkeel.run.fit",
    "load": "evenkeel.run.run",
    "trace": "evenkeel.chain",
    "watch": "evenkeel.observe",
}
_FOLDERS = ("heads", "losses", "metrics", "nets")
__all__ = ["Network", "Run", "checkup", "fit", "heads", "load", "losses", "metrics", "nets", "trace", "watch"]

if TYPE_CHECKING:
    from evenkeel import heads, losses, metrics, nets
    from evenkeel.chain import trace
    from evenkeel.doctor import checkup
    from evenkeel.network import Network
    from evenkeel.observe import watch
    from evenkeel.run.fit import fit
    from evenkeel.run.run import Run, load


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(importlib.import_module(_PLACES[name]), name)
    if name in _FOLDERS:
        return importlib.import_module(f"evenkeel.{name}")
    raise AttributeError(f"module 'evenkeel' has no attribute {name!r}; there are: {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
