import pytest
import torch

from _small import small_dataset, small_network
from evenkeel import heads
from evenkeel.data.fields import SharedField
from evenkeel.network import Network
from evenkeel.train import evaluate
from evenkeel.train.evaluate import features, outputs

TASK = "single-label"


@pytest.mark.parametrize("members", [None, 2])
@pytest.mark.parametrize("rows", [None, [5, 3, 200]])
def test_batches_are_as_good_as_all_at_once(monkeypatch, members, rows):
    monkeypatch.setattr(evaluate, "ROWS_AT_ONCE", 1)  # 256 at once, the least
    data = small_dataset(TASK, rows=600)
    network = small_network(TASK, data, members=members, dropout=0.5)
    chosen = None if rows is None else torch.tensor(rows)
    found = outputs(network, data.inputs, chosen)
    network.eval()
    with torch.no_grad():
        whole = network.output(data.inputs)
    expected = whole if rows is None else whole.index_select(0 if members is None else 1, chosen)
    torch.testing.assert_close(found, expected)


def test_features_are_what_the_head_reads():
    data = small_dataset(TASK)
    network = small_network(TASK, data)
    network.eval()
    with torch.no_grad():
        torch.testing.assert_close(network.head(features(network, data.inputs)), network.output(data.inputs))


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_put_back_even_after_an_error(training):
    data = small_dataset(TASK)
    network = small_network(TASK, data).train(training)
    outputs(network, data.inputs)
    assert network.training is training
    with pytest.raises(TypeError, match="unexpected keyword"):
        outputs(network, {**data.inputs, "images": data.inputs["numbers"]})
    assert network.training is training


def test_no_rows_give_no_outputs():
    data = small_dataset(TASK)
    network = small_network(TASK, data)
    assert outputs(network, data.inputs, torch.tensor([], dtype=torch.int64)).shape == (2, 0, 3)
    assert not outputs(network, data.inputs).requires_grad


def test_rows_that_share_what_is_read_are_found_at_once():
    class Shared(torch.nn.Module):
        def forward(self, rows, values):
            seen.append(len(rows))
            return values[rows]

    seen, values = [], torch.randn(10_000, 4)
    network = Network(Shared(), heads.Value(4))
    fields = {"rows": torch.arange(10_000), "values": SharedField(values, 10_000)}
    assert outputs(network, fields).shape[0] == 10_000
    assert seen == [10_000]
    assert features(network, {name: fields[name] for name in ("rows", "values")}).equal(values)


def test_a_loss_that_compares_rows_sees_all_of_them_at_once(monkeypatch):
    network = Network(torch.nn.Linear(3, 4), heads.Embedding(4, units=4)).train()
    inputs, target, rows = {"input": torch.randn(20, 3)}, torch.arange(20) // 2, torch.arange(4, 20)
    with torch.no_grad():
        expected = float(network.head.loss(network(inputs["input"][rows]), target[rows]))
    assert evaluate.mean_loss(network, inputs, target, rows) == pytest.approx(expected, rel=1e-6)
    assert network.training
    monkeypatch.setattr(evaluate, "ROWS_COMPARED", 8)
    parts = [evaluate.mean_loss(network, inputs, target, part) for part in rows.split(8)]
    assert evaluate.mean_loss(network, inputs, target, rows) == pytest.approx(sum(parts) / 2, rel=1e-6)
    assert parts[0] < expected, "fewer strangers are easier"
