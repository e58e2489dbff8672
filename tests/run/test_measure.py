"""What the held-out rows say, and which of them are kept."""

import torch

from _small import small_dataset, small_network, small_plan
from evenkeel.heads.for_task import head_for
from evenkeel.network import build_network
from evenkeel.run.measure import SAMPLE_ROWS, measure, sample_of
from evenkeel.train.evaluate import outputs
from evenkeel.train.signals import Interruption


def test_the_sample_is_of_test_rows_at_most_so_many():
    data = small_dataset("single-label")
    network, _ = build_network(small_plan("single-label"), data)
    rows = torch.from_numpy(data.split.test).repeat(100)
    sample = sample_of(outputs(network, data.inputs, rows), data, rows, network)
    assert sample["output"].shape == (2, SAMPLE_ROWS, 3) and sample["target"].shape == (SAMPLE_ROWS,)
    kept = sample_of(outputs(network, data.inputs, rows[:36]), data, rows[:36], network)
    assert torch.equal(kept["target"], data.target[rows[:36]])


def test_without_test_rows_nothing_is_measured_or_kept():
    data = small_dataset("regression", test=0.0)
    measured = measure(small_network("regression", data), data, head_for("regression"), 0, Interruption())
    assert measured.sample == {} and measured.ours == {} and measured.baselines == {}


def test_an_interruption_leaves_out_what_only_compares():
    data, interruption = small_dataset("regression"), Interruption()
    interruption.reason = "SIGTERM"
    measured = measure(small_network("regression", data), data, head_for("regression"), 0, interruption)
    assert measured.ours and measured.baselines == {} and measured.importance == ()
