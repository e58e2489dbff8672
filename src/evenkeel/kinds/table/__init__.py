"""Tables: rows with named columns. Numbers, categories, Booleans and date-times are read; MLPs are their nets."""

from evenkeel.kinds.table.kind import TABLE as TABLE

__all__ = ["TABLE"]
