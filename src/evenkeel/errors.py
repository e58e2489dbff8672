"""Errors that a user sees when a request cannot be carried out: one clear message, and nothing half done.

Every message says what was expected, what came, and what to try. The command line prints it without a traceback
and ends with exit code 1.
"""


class EvenkeelError(Exception):
    """The base of every error that evenkeel raises on purpose."""


class DataError(EvenkeelError, ValueError):
    """The data cannot be used as it is: a missing file or column, a target of the wrong kind, too few rows."""


class RequestError(EvenkeelError, ValueError):
    """A request for what does not exist or does not fit together: an unknown net, a loss that does not suit a head."""


class ShapeError(EvenkeelError, ValueError):
    """A tensor has another shape or type than the function asks for."""


class SavedRunError(EvenkeelError, OSError):
    """A folder does not hold a saved run, or what it holds is damaged or unsafe to read."""


class TrainingError(EvenkeelError, RuntimeError):
    """Training itself failed: every step was non-finite, or a network gave an output of the wrong shape."""


def choices(known: object, wanted: str) -> str:
    """A close match of a mistyped name and the names there are, as the tail of a message.

    Example:
        >>> choices(["price", "rooms"], "Prise")
        "did you mean 'price'? There are: 'price', 'rooms'"
    """
    from difflib import get_close_matches

    names = [str(name) for name in known]  # type: ignore[attr-defined]
    lower = {name.lower(): name for name in reversed(names)}
    close = get_close_matches(wanted.lower(), lower, n=1)
    listed = (", ".join(repr(name) for name in names[:12]) or "none") + (", ..." if len(names) > 12 else "")
    return f"did you mean {lower[close[0]]!r}? There are: {listed}" if close else f"there are: {listed}"
