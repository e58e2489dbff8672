"""Places for the nodes of a small graph, so that nodes far apart along edges are far apart on paper.

    minimise  sum over pairs of (|x_i - x_j| - d_ij)² / d_ij²,   d_ij edges on the shortest way from i to j

Source: Kamada and Kawai 1989, doi:10.1016/0020-0190(89)90102-6; by majorisation: Gansner et al. 2005,
doi:10.1007/978-3-540-31843-9_25
"""

from __future__ import annotations

import numpy as np

ROUNDS = 120
APART = 1.5  # edges between nodes that no way joins, beyond the longest way there is


def distances(edges: np.ndarray, count: int) -> np.ndarray:
    """Edges on the shortest way between each two of `count` nodes, whichever way the edges (2, edge) go.

    Example:
        >>> distances(np.array([[0, 1], [1, 2]]), 3).tolist()
        [[0.0, 1.0, 2.0], [1.0, 0.0, 1.0], [2.0, 1.0, 0.0]]
    """
    steps = np.full((count, count), np.inf)
    np.fill_diagonal(steps, 0.0)
    steps[edges[0], edges[1]] = steps[edges[1], edges[0]] = 1.0
    np.fill_diagonal(steps, 0.0)
    for over in range(count):
        steps = np.minimum(steps, steps[:, over, None] + steps[over])
    finite = np.isfinite(steps)
    return np.where(finite, steps, steps[finite].max() + APART)


def places(edges: np.ndarray, count: int) -> np.ndarray:
    """(node, 2), about one unit an edge, around the origin; always the same for the same graph.

    Example:
        >>> line = places(np.array([[0, 1], [1, 2]]), 3)
        >>> bool(np.linalg.norm(line[0] - line[2]) > np.linalg.norm(line[0] - line[1]))
        True
    """
    if count == 1:
        return np.zeros((1, 2))
    wanted = distances(edges, count)
    np.fill_diagonal(wanted, 1.0)
    weight = wanted**-2.0
    np.fill_diagonal(weight, 0.0)
    inverse = np.linalg.pinv(np.diag(weight.sum(1)) - weight)
    turn = 2 * np.pi * np.arange(count) / count
    # Not quite a circle: from a symmetric start some graphs would never unfold.
    points = (
        np.stack((np.cos(turn), np.sin(turn)), axis=1) * (1 + 0.1 * np.sin(3 * turn + 1))[:, None] * wanted.max() / 2
    )
    for _ in range(ROUNDS):
        apart = np.linalg.norm(points[:, None] - points, axis=2)
        pull = -weight * wanted / np.maximum(apart, 1e-9)
        np.fill_diagonal(pull, 0.0)
        np.fill_diagonal(pull, -pull.sum(1))
        points = inverse @ pull @ points
    return points - points.mean(0)
