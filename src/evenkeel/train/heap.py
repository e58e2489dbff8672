"""Give memory that was freed back to the system between the phases of a run.

The C library keeps freed blocks for later: after an evaluation in many batches that is as much as a large table. The
next phase, which is somebody else's code (scikit-learn's), would be counted on top of it.
"""

from __future__ import annotations

import ctypes


def give_back_freed() -> bool:
    """Hand unused pages back; True where this system's C library can (glibc), and had some.

    Example:
        >>> give_back_freed() in (True, False)
        True
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return False  # another C library: it has no such call, and other habits
    return bool(trim(0))
