"""The device that a request names, if it can be used here."""

from __future__ import annotations

import torch

from evenkeel.errors import RequestError


def device_of(name: str | torch.device) -> torch.device:
    """The device by name; `auto` is a GPU where there is one.

    Raises:
        RequestError: no such device, or none of it here.

    Example:
        >>> device_of("cpu")
        device(type='cpu')
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as problem:
        raise RequestError(f"no device is called {name!r}; try 'auto', 'cpu' or 'cuda'") from problem
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as problem:
        raise RequestError(
            f"device {name!r} cannot be used here: {str(problem).splitlines()[0]}; try 'cpu'"
        ) from problem
    return device
