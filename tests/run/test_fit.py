import copy
import threading

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

from _small import LABELS, SETTINGS, TARGETS, same, small_frame, small_run, small_table
from evenkeel import losses
from evenkeel.data.dataset import Dataset
from evenkeel.errors import DataError, RequestError, SavedRunError
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.table.kind import TableOptions, prepare_table
from evenkeel.run.fit import fit, prepared_already
from evenkeel.run.run import RECORD, load
from test_network import TwoInputs

FEATURES = ["signal", "noise", "town"]
HEIGHT = small_table("regression")


def quick(data=None, target="height", task="regression", **options):
    """A short silent fit on the small table."""
    settings = {**SETTINGS, "updates": 20, **options.pop("settings", {})}
    return fit(HEIGHT if data is None else data, target=target, task=task, progress=False, settings=settings, **options)


@pytest.mark.parametrize(
    "name, task, metric, least",
    [
        ("diabetes", None, "r2", 0.25),
        ("diabetes", "regression", "r2", 0.25),
        ("diabetes", "positive-regression", "r2", 0.25),
        ("wine", None, "accuracy", 0.85),
    ],
)
def test_sample_data_are_learned(name, task, metric, least):
    run = fit(
        f"sample:{name}", target="target", task=task, progress=False, settings={**SETTINGS, "learning_rate": 5e-3}
    )
    assert run.metrics[metric] > least
    assert run.plan.task == (task or {"diabetes": "probabilistic-regression", "wine": "single-label"}[name])
    assert set(run.record.baselines) == {"linear", "gradient boosting"} and run.record.verdict
    assert run.record.importance and run.record.source == f"sample:{name}"


def test_several_labels_are_learned():
    run = small_run("multi-label")
    assert run.classes == tuple(LABELS) and run.metrics["hamming"] < 0.15


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    first, again, other = (quick(seed=seed).network.state_dict() for seed in (1, 1, 2))
    assert same(first, again) and not same(first, other)


def test_data_may_come_in_any_form(tmp_path):
    """A file, a polars and a pandas frame, and a mapping of columns are one table."""
    HEIGHT.write_csv(tmp_path / "t.csv")
    HEIGHT.write_parquet(tmp_path / "t.parquet")
    expected = quick().network.state_dict()
    forms = [str(tmp_path / "t.csv"), tmp_path / "t.parquet", HEIGHT.to_pandas(), HEIGHT.to_dict(as_series=False)]
    for form in forms:
        assert same(quick(form).network.state_dict(), expected), type(form)


@pytest.mark.parametrize("make", [np.asarray, torch.as_tensor, list])
def test_arrays_and_tensors_come_as_a_pair(make):
    numbers = np.random.default_rng(0).normal(size=(80, 3))
    answers = numbers[:, 0] + 2
    run = quick((make(numbers), make(answers)), target=None, task=None)
    assert run.record.target.columns == ("target",) and [c.name for c in run.record.schema_.columns] == [
        "x0",
        "x1",
        "x2",
    ]
    assert run.predict(make(numbers)).shape == (80,)
    assert quick((make(numbers), make(answers)), target="price").record.target.columns == ("price",)
    assert run.evaluate((make(numbers), make(answers))).keys() == run.metrics.keys()


def test_classes_and_labels_of_arrays():
    numbers = np.random.default_rng(0).normal(size=(80, 2))
    words = np.where(numbers[:, 0] > 0, "yes", "no")
    run = quick((numbers, words), target=None, task=None)
    assert run.classes == ("no", "yes") and set(run.predict(numbers)) <= {"no", "yes"}
    several = quick((numbers, (numbers > 0).astype(int)), target=None, task=None)
    assert several.plan.task == "multi-label" and several.predict(numbers).dtype == bool


def test_a_ready_dataset_is_taken_as_it_is():
    prepared = prepare_table(HEIGHT, DataRequest(options=TableOptions(), target="height", task="regression"))
    data = prepared.dataset
    assert isinstance(data, Dataset) and prepared.choice.reason == "as asked"
    assert prepared_already(data, None).choice.task == "probabilistic-regression"
    assert same(quick(data).network.state_dict(), quick().network.state_dict())


@pytest.mark.parametrize("make", [lambda: nn.Sequential(nn.Linear(8, 12), nn.ReLU()), TwoInputs])
def test_a_net_of_ones_own_is_copied_trained_and_named(make):
    net = make()
    before = copy.deepcopy(net.state_dict())
    run = quick(net=net, task="regression")
    assert same(net.state_dict(), before), "the caller's module is never changed"
    assert (run.record.net, run.record.net_text) == ("given", type(net).__name__)
    assert np.isfinite(run.predict(HEIGHT)).all() and run.network.head.members is None
    first = run.history[0].validation_loss
    assert run.history[-1].validation_loss < first
    assert same(quick(net=net).network.state_dict(), run.network.state_dict())


def test_a_net_may_be_an_ensemble_itself():
    class Twins(nn.Module):
        members = 2

        def __init__(self):
            super().__init__()
            self.left, self.right = nn.Linear(8, 6), nn.Linear(8, 6)

        def forward(self, x):
            return torch.stack([self.left(x), self.right(x)])

    run = quick(net=Twins())
    assert run.network.head.members == 2 and run.predict(HEIGHT).shape == (240,)


@pytest.mark.parametrize(
    "loss, text",
    [
        ("mse", "mse"),
        (losses.MseLoss(), "mse"),
        (nn.L1Loss(), "L1Loss (given)"),
        (lambda output, target: (output - target).abs().mean(), "<lambda> (given)"),
    ],
)
def test_a_loss_comes_by_name_as_a_module_or_as_a_function(loss, text):
    run = quick(loss=loss)
    assert run.record.loss_text == text
    assert run.history[-1].train_loss < run.history[0].train_loss
    named = same(run.network.state_dict(), quick().network.state_dict())
    assert named == (text == "mse"), "another loss gives another network"


def test_a_loss_with_tensors_of_its_own_is_saved_without_them(tmp_path):
    data = small_table("single-label")
    loss = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0]))
    run = quick(data, "class", "single-label", loss=loss, out=tmp_path / "run")
    again = load(tmp_path / "run")
    assert again.record.loss_text == "CrossEntropyLoss (given)" and (again.predict(data) == run.predict(data)).all()


def test_weights_change_what_is_learned():
    frame = HEIGHT.with_columns(weight=pl.Series([10.0 if index < 60 else 0.1 for index in range(240)]))
    column = quick(frame, sample_weight="weight")
    assert "weight" not in [each.name for each in column.record.schema_.columns]
    given = quick(sample_weight=frame["weight"].to_list())
    assert same(column.network.state_dict(), given.network.state_dict())
    assert not same(column.network.state_dict(), quick().network.state_dict())
    data = small_table("single-label")
    plain, balanced, chosen = (
        quick(data, "class", "single-label", sample_weight=weight).network.state_dict()
        for weight in (None, "balanced", {"high": 5.0})
    )
    assert not same(plain, balanced) and not same(plain, chosen)


def test_weights_are_of_training_alone_and_figures_are_those_of_evaluate():
    words = ["train"] * 150 + ["validation"] * 40 + ["test"] * 50
    weight = [10.0 if index % 3 else 0.1 for index in range(240)]
    run = quick(sample_weight=weight, split=words)
    assert run.evaluate(HEIGHT[190:])["rmse"] == pytest.approx(run.metrics["rmse"], rel=1e-9)


def test_weights_with_a_loss_of_ones_own_are_refused():
    with pytest.raises(RequestError, match="example weights need a loss by name"):
        quick(loss=nn.L1Loss(), sample_weight=[1.0] * 240)


def test_the_split_may_be_given():
    words = ["train"] * 150 + ["validation"] * 40 + ["test"] * 50
    run = quick(split=words)
    assert run.record.rows == {"train": 150, "validation": 40, "test": 50} and run.record.split == "given"
    rows = {"train": list(range(150)), "validation": [], "test": list(range(190, 240))}
    run = quick(split=rows)
    assert run.record.rows["test"] == 50 and run.record.rows["train"] + run.record.rows["validation"] == 150
    truth = HEIGHT[190:]
    assert run.evaluate(truth)["rmse"] == pytest.approx(run.metrics["rmse"], rel=1e-6)


@pytest.mark.parametrize("task", TARGETS)
def test_without_validation_and_test_rows_there_is_a_network_and_no_figures(task):
    run = quick(small_table(task), TARGETS[task], task, validation=0, test=0)
    assert run.metrics == run.record.baselines == {} and run.record.verdict == "" and run.record.importance == ()
    assert run.record.rows == {"train": 240, "validation": 0, "test": 0} and run.record.ended == "budget"
    assert len(run.predict(small_table(task))) == 240
    assert "no rows were held out to measure it" in run.report_text()


def test_a_budget_in_epochs_or_seconds():
    run = quick(epochs=3, settings={"batch_size": 32, "updates": 9999, "patience": 9.0})
    assert run.history[-1].update == 3 * round(168 / 32) and run.record.ended == "budget"
    run = quick(time_limit=0.05, settings={"updates": 100_000, "patience": 9.0})
    assert run.record.ended == "time limit" and run.plan.time_limit == 0.05
    assert 0.05 <= run.record.seconds < 5


def test_the_seed_of_the_call_is_that_of_split_and_plan():
    assert quick(seed=5).plan.seed == 5
    assert (quick(seed=5).sample["target"] != quick(seed=6).sample["target"]).any()


def test_it_runs_outside_the_main_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(quick()))
    thread.start()
    thread.join()
    assert same(found[0].network.state_dict(), quick().network.state_dict())


def test_the_callers_random_state_is_left_alone():
    before, numpy_before = torch.random.get_rng_state(), np.random.get_state()[1].tolist()
    quick()
    assert torch.equal(torch.random.get_rng_state(), before) and np.random.get_state()[1].tolist() == numpy_before


def test_a_folder_that_holds_something_else_is_refused_before_training(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(SavedRunError, match="exists and holds something that is not a run; choose another folder"):
        quick(out=tmp_path)
    with pytest.raises(SavedRunError, match="is a file; expected the name of a folder"):
        quick(out=tmp_path / "thesis.tex")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_finished_run_is_saved_with_its_report(tmp_path):
    quick(out=tmp_path / "new" / "run")
    names = {path.name for path in (tmp_path / "new" / "run").iterdir()}
    assert names == {RECORD, "weights.safetensors", "sample.safetensors", "report.html", "manifest.json"}


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"kind": "images"}, RequestError, "no kind of data is called 'images'.*table"),
        ({"target": None}, RequestError, "which column is to be predicted.*'signal', 'noise', 'town', 'height'"),
        ({"target": "hight"}, DataError, "did you mean 'height'"),
        ({"task": "regresion"}, RequestError, "did you mean 'regression'"),
        ({"net": "mpl"}, RequestError, "no net is called 'mpl'; did you mean 'mlp'"),
        ({"net": "cnn"}, RequestError, "net 'cnn' reads image and sequence data, and this is a table; try mlp"),
        ({"loss": "hinge"}, RequestError, "no loss is called 'hinge'"),
        ({"loss": "focal"}, RequestError, "losses that fit: mse"),
        ({"device": "abacus"}, RequestError, "no device is called 'abacus'; try 'auto', 'cpu' or 'cuda'"),
        ({"device": "cuda:77"}, RequestError, "device 'cuda:77' cannot be used here: .*; try 'cpu'"),
        ({"settings": {"wdth": 3}}, RequestError, "there is no setting 'wdth'; did you mean 'width'"),
        ({"settings": {"cell": "lstm"}}, RequestError, "net 'mlp' has no setting 'cell'; it is one of net rnn"),
        ({"settings": {"width": -3}}, RequestError, "setting width = -3"),
        ({"validation": 0.6, "test": 0.5}, RequestError, r"validation \+ test must be in \[0, 1\)"),
    ],
)
def test_what_cannot_be_done_is_said(options, error, message):
    with pytest.raises(error, match=message):
        quick(**{"target": "height", **options})


def test_progress_is_shown_on_standard_error_only(capsys):
    fit(HEIGHT, target="height", settings={**SETTINGS, "updates": 20})
    out, err = capsys.readouterr()
    assert out == "" and "\nupdate 20/20 · loss " in err


def test_small_frames_are_the_same_every_time():
    assert small_frame().equals(small_frame()) and not small_frame(seed=1).equals(small_frame())
