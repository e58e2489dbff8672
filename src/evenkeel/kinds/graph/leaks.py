"""Leakage in graphs: features of nodes that alone predict the answer almost perfectly."""

from __future__ import annotations

import numpy as np
import polars as pl

from evenkeel.data.dataset import leakage_notes
from evenkeel.data.schema import encode, fit_schema
from evenkeel.data.target import TargetKind
from evenkeel.errors import DataError
from evenkeel.kinds.graph.nodes import NodeValues
from evenkeel.kinds.graph.schema import GraphSet
from evenkeel.shapes import Tensor

MOST_COLUMNS = 100  # a tree each: beyond this, words of a text or parts of an embedding, none of them alone a twin


def leak_notes(
    graphs: GraphSet,
    side: tuple[str, ...],
    rows: np.ndarray,
    train: np.ndarray,
    target: Tensor,
    kind: TargetKind,
    seed: int,
) -> tuple[str, ...]:
    """Return one sentence for each feature that predicts the answer almost perfectly by itself.

    Args:
        graphs: one graph; of several, whose nodes have no answers, there are no notes.
        side: columns of a node table that are features.
        rows: the nodes that have an answer.
        train: places in `rows` of the nodes that train.
        target: their answers.
        kind: of the answers.
        seed: of the draw of rows on which features are scored.
    """
    judged = graphs.level == "node" and kind in ("class", "number")
    frame = _columns(graphs.values, side, rows) if judged else None
    if frame is None or not 0 < frame.width <= MOST_COLUMNS:
        return ()
    try:
        schema = fit_schema(frame, train)
    except DataError:  # no feature varies, so none predicts
        return ()
    return tuple(leakage_notes(schema, encode(schema, frame).mapping(), target, kind, seed))


def _columns(values: NodeValues, side: tuple[str, ...], rows: np.ndarray) -> pl.DataFrame | None:
    """Return the features of the nodes with an answer, a column each."""
    if values.table is not None:
        return values.table[rows].select(side)
    if values.numbers is None or values.numbers.shape[1] > MOST_COLUMNS:
        return None
    numbers = values.numbers.to_dense()[rows].double().numpy()
    return pl.DataFrame({f"x[{place}]": column for place, column in enumerate(numbers.T)})
