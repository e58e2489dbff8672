"""Series: a table with a time column whose number columns are to be forecast, each from its own past."""

from evenkeel.kinds.series.kind import SERIES as SERIES

__all__ = ["SERIES"]
