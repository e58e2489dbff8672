"""All rows of the examination, in order."""

from __future__ import annotations

from bench._specimens import digits, graph, numerics, outputs, pairs, recurrent, scaling, text, vanishing

MODULES = (vanishing, scaling, outputs, digits, numerics, recurrent, graph, text, pairs)
ROWS = sorted((row for module in MODULES for row in module.ROWS), key=lambda row: row.number)
