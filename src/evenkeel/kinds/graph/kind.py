"""The kind graph: an answer for each of many graphs, or for each node of one; its nets are GNNs.

All nodes of one graph are in every batch (full-batch), those without an answer too: predicting on the same graph is
transductive, on another one inductive.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from evenkeel.data.dataset import Dataset, SplitRequest, dataset_of, hold_out
from evenkeel.data.schema import Frozen
from evenkeel.data.target import Target, encode_target, present_rows, take_target
from evenkeel.errors import DataError
from evenkeel.kinds.base import Answered, DataRequest, Encoded, Kind, Prepared
from evenkeel.kinds.graph.baselines import BASELINES
from evenkeel.kinds.graph.body import graph_body
from evenkeel.kinds.graph.edges import Ways
from evenkeel.kinds.graph.labels import LabelledGraphs, drop_unlabelled, label_graphs
from evenkeel.kinds.graph.leaks import leak_notes
from evenkeel.kinds.graph.pictures import graph_pictures, keep_graphs
from evenkeel.kinds.graph.read import is_graphs, read_graphs
from evenkeel.kinds.graph.schema import USUAL, Answer, GraphSchema, encode_graphs, fit_graphs
from evenkeel.kinds.graph.split import complete
from evenkeel.task import TaskChoice


class GraphOptions(Frozen):
    """Options of reading graphs."""

    edges: Ways = Field(default="auto", description="auto: an edge given one way goes both ways; directed: as given")
    masks: Literal["use", "ignore"] = Field(
        default="use", description="whether a split that the data bring along is used"
    )


def prepare_graphs(data: Any, request: DataRequest[GraphOptions]) -> Prepared[GraphSchema]:
    """Read, infer the task, split, learn of the part that trains, encode."""
    answer: Answer = USUAL if request.target is None else _name(request.target)
    labelled = label_graphs(read_graphs(data, answer), request.task)
    graphs, table, kind = labelled.graphs, labelled.table, labelled.choice.kind
    split, note = _split(request.split, labelled, request.options)
    rows = hold_out(table, kind, split, weight=request.weight)
    side, train = tuple(rows.features.columns), rows.split.train
    learned = fit_graphs(graphs, table.rows, train, answer=answer, ways=request.options.edges, side=side)
    leaks = leak_notes(graphs, side, table.rows, train, rows.target, kind, split.seed)
    fitted = dataclasses.replace(learned, notes=(*note, *learned.notes, *leaks))
    return Prepared(dataset=dataset_of(rows, fitted, graphs.source), choice=labelled.choice)


def _name(target: Any) -> Answer:
    return target if isinstance(target, str) else tuple(target)


def _split(
    request: SplitRequest, labelled: LabelledGraphs, options: GraphOptions
) -> tuple[SplitRequest, tuple[str, ...]]:
    """Take the split that the data bring along unless another one is requested; also return notes on it."""
    parts = labelled.graphs.parts
    if parts is None or options.masks == "ignore" or not isinstance(request.how, str) or request.how != "random":
        return request, ()
    shares = {"validation": request.validation, "test": request.test}
    completed = complete(parts, labelled.table.rows, **shares, seed=request.seed)
    return SplitRequest(how=completed.parts, **shares, seed=request.seed), () if completed.note is None else (
        completed.note,
    )


def encode_new(schema: GraphSchema, new: Any) -> Encoded:
    """Encode new graphs, or all nodes of a graph."""
    graphs = read_graphs(new, None, level=schema.level, layout=schema.layout)
    return Encoded(inputs=encode_graphs(schema, graphs), keys=graphs.keys)


def answers_of_graphs(schema: GraphSchema, target: Target, new: Any) -> Answered:
    """Encode new graphs, or nodes, that have an answer, and these answers."""
    all_graphs = read_graphs(new, schema.answer, level=schema.level, layout=schema.layout)
    graphs = drop_unlabelled(all_graphs, target)
    if graphs.answers is None:
        raise DataError("graphs come without answers; nothing can be evaluated")
    answers, _ = take_target(graphs.answers, target.columns)
    rows = present_rows(answers)
    if not len(rows):
        raise DataError(f"nothing has a value of the target {target.name!r}; nothing can be evaluated")
    return Answered(inputs=encode_graphs(schema, graphs, rows), target=encode_target(target, answers[rows]))


def graph_recipe(net: str, dataset: Dataset[GraphSchema], choice: TaskChoice) -> Mapping[str, Any]:
    """Choose defaults by the level of the examples and their number."""
    shared = {"members": None, "bins": None, "activation": "relu"}
    if dataset.schema.level == "graph":
        return {**shared, **_of_graphs()}
    return {**shared, **_of_nodes(len(dataset.split.train))}


def _of_graphs() -> Mapping[str, Any]:
    return {
        "net_options": {"layer": "gin", "pooling": "sum"},
        "norm": "auto",
        "width": 32,
        "depth": 4,
        "dropout": 0.5,
        "learning_rate": 1e-2,
        "weight_decay": 0.0,
        "batch_size": 32,
        "epochs": 100,
        "keep": "last",
    }


def _of_nodes(rows: int) -> Mapping[str, Any]:
    return {
        "net_options": {"layer": "gcn"},
        "skip": "plain",
        "norm": None,
        "width": 64,
        "depth": 2,
        "dropout": 0.8,
        "optimizer": "adam",
        "learning_rate": 1e-2,
        "weight_decay": 5e-3,
        "batch_size": rows,
        "epochs": 200,
        # Accuracy on few nodes goes on rising where the loss has long been flat: nothing is ended early.
        "evaluations": 200,
        "patience": 1.0,
    }


GRAPH = Kind(
    name="graph",
    summary="nodes and edges: torch_geometric's Data, pairs of arrays, .npz, listings of graphs, tables of both",
    source="the forms of torch_geometric, Planetoid and the TU collection",
    schema=GraphSchema,
    recognises=is_graphs,
    without_target=lambda data, task: is_graphs(data),
    rank=20,
    prepare=prepare_graphs,
    encode=encode_new,
    answers=answers_of_graphs,
    net="gnn",
    recipe=graph_recipe,
    body=graph_body,
    options=GraphOptions,
    baselines=BASELINES,
    keep=keep_graphs,
    pictures=graph_pictures,
)
