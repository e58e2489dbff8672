"""Graphs: an answer for each of many graphs, or for each node of one; GNNs are their nets."""

from evenkeel.kinds.graph.kind import GRAPH as GRAPH

__all__ = ["GRAPH"]
