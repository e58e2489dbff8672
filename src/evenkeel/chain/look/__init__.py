"""Looks at the chain of somebody else's step: on its own graph, by replay, or by repeating an earlier look."""
