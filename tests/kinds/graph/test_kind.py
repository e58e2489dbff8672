import copy
import sys

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import nn

from _graph_sets import as_data, as_tables, communities, some_rings, write_listing
from _small import same
from evenkeel.cli import cli
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.choose import kind_of
from evenkeel.run.fit import fit
from evenkeel.run.run import load

RINGS = some_rings(80)
PAIRS, ANSWERS = [graph[:2] for graph in RINGS], [graph[2] for graph in RINGS]
PEOPLE = communities(90)
MASKS = {
    "train_mask": torch.arange(90) < 30,
    "val_mask": torch.arange(90) // 30 == 1,
    "test_mask": torch.arange(90) >= 60,
}


def quick(data, **options):
    """A short silent fit."""
    settings = {"width": 16, "depth": 2, "dropout": 0.2, **options.pop("settings", {})}
    return fit(data, progress=False, settings=settings, **{"epochs": 30, **options})


@pytest.fixture(scope="module")
def rings():
    return quick((PAIRS, ANSWERS))


@pytest.fixture(scope="module")
def people():
    return quick(as_data(PEOPLE, **MASKS), epochs=60)


def test_rings_are_told_from_paths(rings):
    assert rings.metrics["accuracy"] > 0.9 and rings.classes == (0, 2)
    assert set(rings.record.baselines) == {"linear on histograms"} and rings.record.verdict
    new = some_rings(40, seed=1)
    predicted = rings.predict([graph[:2] for graph in new])
    assert (predicted == [graph[2] for graph in new]).mean() > 0.9
    assert rings.predict_proba([new[0][:2]]).shape == (1, 2)
    assert rings.embed([graph[:2] for graph in new[:3]]).shape == (3, 16)
    assert rings.evaluate(([graph[:2] for graph in new], [graph[2] for graph in new]))["accuracy"] > 0.9


def test_neighbours_tell_who_belongs_where(people):
    assert people.metrics["accuracy"] > 0.8
    assert people.record.rows == {"train": 30, "validation": 30, "test": 30} and people.record.split == "given"
    assert set(people.record.baselines) == {"linear", "linear on smoothed features"}
    assert people.predict(as_data(PEOPLE)).shape == (90,), "on the same graph"
    other = communities(70, seed=5)
    assert people.evaluate(as_data(other))["accuracy"] > 0.75, "on another one"
    assert people.plan.batch_size == 30


def test_the_split_of_the_data_is_used_unless_another_is_asked_for():
    data = as_data(PEOPLE, **MASKS)
    requested = quick(data, epochs=1, split={"train": range(50), "test": range(50, 90)}, validation=0)
    assert requested.record.rows == {"train": 50, "validation": 0, "test": 40}
    ignored = quick(data, epochs=1, settings={"masks": "ignore"})
    assert ignored.record.split.startswith("random") and sum(ignored.record.rows.values()) == 90
    drawn = quick(as_data(PEOPLE, train_mask=MASKS["train_mask"]), epochs=1)
    assert drawn.record.rows == {"train": 30, "validation": 30, "test": 30} and "accuracy" in drawn.metrics
    assert any(note.startswith("The data mark no nodes for validation or test") for note in drawn.record.notes)
    again = quick(as_data(PEOPLE, train_mask=MASKS["train_mask"]), epochs=1)
    assert again.metrics == drawn.metrics


@pytest.mark.parametrize("kind", ["graph", "node"])
def test_what_was_saved_predicts_the_same(kind, rings, people, tmp_path):
    run, new = (rings, PAIRS) if kind == "graph" else (people, as_data(PEOPLE))
    back = load(run.save(tmp_path / "run"))
    assert back.record.schema_ == run.record.schema_
    assert np.array_equal(back.predict_proba(new), run.predict_proba(new))
    assert "<svg" in run.report_text()


def test_tables_of_nodes_and_edges_are_learned(tmp_path):
    tables = as_tables(PEOPLE)
    run = quick(tables, target="answer", epochs=60)
    assert sum(run.record.rows.values()) == 81
    assert run.record.notes[0] == "9 of 90 rows have no target value and are left out."
    assert run.predict(tables).shape == (90,), "those without an answer are predicted too"
    assert set(run.predict(tables)) == {"left", "right"}
    assert run.evaluate(tables)["accuracy"] > 0.75
    names = {column.name for column in run.record.schema_.columns}
    assert names == {"graph", "town", "x0", "x1", "x2"}
    grouped = quick(tables, target="answer", epochs=1, split="group:town", validation=0)
    assert "town" not in {column.name for column in grouped.record.schema_.columns}


def test_numbers_and_several_labels_can_be_predicted():
    sizes = [float(len(tags)) + 0.5 for tags, _ in PAIRS]
    run = quick((PAIRS, sizes), task="regression", epochs=40)
    assert run.metrics["r2"] > 0.4
    assert quick((PAIRS, sizes), epochs=1).plan.task == "probabilistic-regression"
    labels = np.array([[len(tags) > 6, answer == 2] for tags, _, answer in RINGS]).astype(int)
    run = quick((PAIRS, labels), task="multi-label")
    assert run.classes == ("y_0", "y_1") and run.metrics["hamming"] < 0.3
    assert run.evaluate((PAIRS, labels))["hamming"] < 0.3


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 12)

    def forward(self, x, edge_index):
        hidden = self.linear(x)
        return torch.relu(hidden + hidden.new_zeros(hidden.shape).index_add(0, edge_index[1], hidden[edge_index[0]]))


def test_a_net_of_ones_own_reads_graphs(tmp_path):
    net = Own()
    run = quick(as_data(PEOPLE, **MASKS), net=net, epochs=60)
    assert run.metrics["accuracy"] > 0.6
    back = load(run.save(tmp_path / "run"), net=net)
    assert np.array_equal(back.predict(as_data(PEOPLE)), run.predict(as_data(PEOPLE)))


@pytest.mark.parametrize("level", ["graph", "node"])
def test_going_on_after_an_interruption_gives_the_same_bits(level, tmp_path, monkeypatch):
    from evenkeel.run import request

    data = (PAIRS, ANSWERS) if level == "graph" else as_data(PEOPLE, **MASKS)
    whole = quick(data, epochs=6)
    kept = request.Loop._update
    left = [4]

    def stopping(loop, *batch):
        left[0] -= 1
        if left[0] < 0:
            raise_signal()
        return kept(loop, *batch)

    def raise_signal():
        import os
        import signal

        left[0] = 10**9
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(request.Loop, "_update", stopping)
    stopped = quick(data, epochs=6, out=tmp_path / "run")
    assert stopped.record.ended == "SIGTERM"
    monkeypatch.setattr(request.Loop, "_update", kept)
    on = quick(data, epochs=6, out=tmp_path / "run")
    assert on.record.ended == whole.record.ended
    assert same(on.network.state_dict(), whole.network.state_dict())


def test_the_same_seed_gives_the_same_bits():
    first, again, other = (quick((PAIRS, ANSWERS), epochs=2, seed=seed).network.state_dict() for seed in (1, 1, 2))
    assert same(first, again) and not same(first, other)


def test_given_data_stay_as_they_are():
    data = as_data(PEOPLE, **MASKS)
    before = copy.deepcopy(vars(data))
    quick(data, epochs=1)
    assert same(
        {k: v for k, v in before.items() if k != "num_nodes"}, {k: v for k, v in vars(data).items() if k != "num_nodes"}
    )


def test_edges_may_keep_their_direction():
    both, one = (quick(as_data(PEOPLE), epochs=1, settings={"edges": ways}) for ways in ("auto", "directed"))
    assert any("go both ways" in note for note in both.record.notes) and one.record.notes == ()
    assert one.record.schema_.edges == "directed"
    with pytest.raises(RequestError, match="setting edges = 'both'"):
        quick(as_data(PEOPLE), settings={"edges": "both"})


def test_graphs_are_recognised():
    assert kind_of((PAIRS, ANSWERS)).name == kind_of(as_data(PEOPLE)).name == kind_of(as_tables(PEOPLE)).name == "graph"
    assert kind_of("sample:wine", target="target").name == "table"


def test_a_listing_of_graphs_is_no_text_to_be_continued(tmp_path):
    path = write_listing(tmp_path / "rings.txt", RINGS)
    assert kind_of(path).name == kind_of(str(path), target="ring").name == "graph"


def test_graphs_of_one_class_are_drawn_together():
    run = quick((PAIRS, ANSWERS), task="embedding")
    assert run.metrics["recall_at_k"] > 0.8 and run.embed(PAIRS[:3]).shape[0] == 3


def test_the_command_line_trains_and_predicts(tmp_path):
    path = write_listing(tmp_path / "rings.txt", RINGS[:40])
    out = tmp_path / "run"
    call = ["train", str(path), "--target", "ring", "--out", str(out), "--epochs", "2", "--quiet", "--set", "width=8"]
    made = CliRunner().invoke(cli, call)
    assert made.exit_code == 0, made.output
    assert "the target has 2 different whole numbers" in made.output
    predicted = CliRunner().invoke(cli, ["predict", str(out), str(path)])
    assert predicted.output.splitlines()[0] == "prediction,probability 0,probability 2"
    assert len(predicted.output.splitlines()) == 41
    np.savez(tmp_path / "people.npz", **PEOPLE, idx_train=range(40), idx_test=range(40, 90))
    out = tmp_path / "people-run"
    call = ["train", str(tmp_path / "people.npz"), "--target", "y", "--out", str(out), "--epochs", "2", "--quiet"]
    made = CliRunner().invoke(cli, call)
    assert made.exit_code == 0, made.output
    assert "50 test; split: given" in made.output
    assert "accuracy" in CliRunner().invoke(cli, ["evaluate", str(out), str(tmp_path / "people.npz")]).output


@pytest.mark.parametrize(
    "data, options, error, message",
    [
        ((PAIRS[:5], ANSWERS[:5]), {}, DataError, "expected at least 10 rows"),
        ((PAIRS, [1] * 80), {}, DataError, "target 'y' has 1 value"),
        ((PAIRS, ANSWERS), {"net": "mlp"}, RequestError, "net 'mlp' reads table data, and this is a graph; try gnn"),
        ((PAIRS, ANSWERS), {"task": "generation"}, RequestError, "generation learns from no target column"),
        (
            ([*PAIRS[:-1], (np.empty(0, int), np.empty((2, 0)))], ANSWERS),
            {},
            DataError,
            "have no nodes, such as graph 79",
        ),
        (([*PAIRS[:-1], (np.zeros(2, int), np.array([[0], [5]]))], ANSWERS), {}, DataError, "graph 79: 1 edge"),
        (as_tables(PEOPLE), {}, RequestError, "which column of the nodes is to be predicted"),
    ],
)
def test_what_does_not_fit_is_one_clear_error(data, options, error, message):
    with pytest.raises(error, match=message):
        quick(data, **options)


def test_new_graphs_of_another_form_are_refused(rings, people):
    with pytest.raises(DataError, match="training had graphs to predict, got the nodes of one graph"):
        rings.predict(as_tables(PEOPLE))
    with pytest.raises(DataError, match="training had a tag at each node"):
        rings.predict([(np.zeros((3, 2)), np.empty((2, 0)))])
    with pytest.raises(DataError, match="training had 6 numbers at each node, here there are 3"):
        people.predict(as_data(communities(20, channels=3)))
    with pytest.raises(DataError, match="graphs come without answers"):
        rings.evaluate(PAIRS)


def test_unknown_tags_are_counted_and_predicted(rings):
    changed = [(np.where(tags == 1, 7, tags), edges) for tags, edges in PAIRS[:6]]
    assert np.isfinite(rings.predict_proba(changed)).all()
    tags = [np.zeros_like(tags) if number else np.full_like(tags, 3) for number, (tags, _) in enumerate(PAIRS)]
    graphs = [(each, edges) for each, (_, edges) in zip(tags, PAIRS, strict=True)]
    run = quick((graphs, ANSWERS), epochs=1, split={"train": range(1, 70), "test": [0, *range(70, 80)]}, validation=0)
    assert f"{len(tags[0])} node(s) have a tag that no training graph has" in run.record.notes[0]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_batch_is_its_graphs(rings):
    library = pytest.importorskip("torch_geometric.data")
    one_hot = torch.eye(2)
    datas = [
        library.Data(x=one_hot[torch.from_numpy(tags)], edge_index=torch.from_numpy(edges), y=torch.tensor([answer]))
        for tags, edges, answer in RINGS
    ]
    batch = library.Batch.from_data_list(datas)
    of_list, of_batch = quick(datas, epochs=2), quick(batch, epochs=2)
    assert sum(of_batch.record.rows.values()) == 80 and of_batch.metrics == of_list.metrics
    assert of_batch.predict(batch).shape == (80,)
    assert np.array_equal(of_batch.predict_proba(batch), of_list.predict_proba(datas))
    assert of_batch.evaluate(batch) == of_list.evaluate(datas)


def test_one_graph_alone_and_none(rings):
    assert rings.predict_proba(PAIRS[0]).shape == (1, 2)
    assert np.array_equal(rings.predict_proba(PAIRS[0]), rings.predict_proba([PAIRS[0]]))
    with pytest.raises(DataError, match=r"^expected at least one graph, got an empty list$"):
        rings.predict([])


def test_floats_lists_and_words_are_learned():
    graphs = [(["CN"[tag] for tag in tags], edges.astype(float).tolist()) for tags, edges in PAIRS]
    run = quick((graphs, ANSWERS), epochs=1)
    assert run.kind.name == "graph" and set(run.record.schema_.nodes.tags) == {"C", "N"}
    assert run.predict(graphs[0]).shape == (1,)


def test_two_edges_alone_are_read_as_training_read_them():
    standing = [(tags, edges.T) for tags, edges in PAIRS]
    run = quick((standing, ANSWERS), epochs=1, settings={"edges": "directed"})
    assert run.record.schema_.layout == "standing"
    one = (np.zeros(4, int), np.array([[0, 1], [2, 3]]))
    more = [one, (np.zeros(4, int), np.array([[0, 1], [2, 3], [1, 2]]))]
    assert np.allclose(run.predict_proba(one)[0], run.predict_proba(more)[0], atol=1e-6)


def test_unlabelled_nodes_are_no_class_and_leaks_are_told():
    hidden = np.where(np.arange(90) % 4 == 0, -1, PEOPLE["y"])
    x = np.concatenate([PEOPLE["x"], PEOPLE["y"][:, None].astype(np.float32)], axis=1)
    data = as_data({**PEOPLE, "x": x, "y": hidden})
    run = quick(data, epochs=1)
    assert run.classes == (0, 1) and sum(run.record.rows.values()) == 67
    notes = " ".join(run.record.notes)
    assert "23 node(s) have the answer -1" in notes and "Column 'x[6]' alone predicts the target" in notes
    assert run.predict(data).shape == (90,)
    assert "accuracy" in run.evaluate(data)


def test_without_torch_geometric_there_is_one_clear_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_geometric.nn", None)
    with pytest.raises(RequestError, match=r"a GNN needs torch_geometric; try: pip install 'evenkeel\[graphs\]'"):
        quick((PAIRS, ANSWERS))


def test_a_citation_graph_is_learned(real_data):
    run = fit(real_data / "planetoid-cora" / "cora.npz", epochs=30, progress=False)
    assert run.record.rows == {"train": 140, "validation": 500, "test": 1000}
    assert run.record.schema_.nodes.form == "sparse" and run.record.schema_.nodes.channels == 1433
    assert run.metrics["accuracy"] > 0.75


def test_molecules_are_learned(real_data):
    run = fit(real_data / "graph-MUTAG" / "MUTAG.txt", epochs=15, progress=False)
    assert run.metrics["accuracy"] > 0.7 and run.classes == (0, 2)
    assert sum(run.record.rows.values()) == 188
