import numpy as np
import polars as pl
import pytest
import torch
from click.testing import CliRunner
from torch import nn

import evenkeel as ek
from evenkeel.cli import cli
from evenkeel.data.fields import all_rows
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds import PARTS
from evenkeel.kinds.choose import kind_of
from kinds._sequences import QUICK, fit, long_table, stepwise, waves


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A small network on long table of unequal lengths."""
    sequences, answers = waves(equal=False)
    table = long_table(sequences, answers)
    settings = {**QUICK, "updates": 120, "series": "id", "time": "t"}
    return fit(table, target="y", net="cnn", test=0.15, settings=settings), table


def test_learns_what_a_long_table_holds_and_tells_it(run):
    trained, table = run
    assert trained.record.schema_.kind == "sequence" and trained.plan.net == "cnn"
    assert trained.metrics["accuracy"] > 0.75
    assert set(trained.record.baselines) == {"linear", "nearest neighbour"}
    assert trained.evaluate(table)["accuracy"] > 0.9
    page = trained.report_text()
    assert "x0" in page and "8 to 15 steps" in page


def test_a_saved_run_predicts_the_same(run, tmp_path):
    trained, table = run
    loaded = ek.load(trained.save(tmp_path / "run"))
    new = table.drop("y")
    np.testing.assert_array_equal(loaded.predict_proba(new), trained.predict_proba(new))
    assert loaded.predict(new).shape == (60,) and set(loaded.predict(new)) == {"slow", "fast"}
    assert loaded.embed(new).shape == (60, 64)


def test_predictions_do_not_depend_on_what_else_is_asked(run):
    trained, table = run
    whole = trained.predict_proba(table)
    for index in (0, 7):
        alone = trained.predict_proba(table.filter(pl.col("id") == f"s{index}"))
        np.testing.assert_allclose(alone[0], whole[index], atol=1e-5)


def test_new_sequences_may_come_in_another_form(run):
    trained, table = run
    sequences, _ = waves(equal=False)
    np.testing.assert_array_equal(trained.predict(sequences), trained.predict(table))
    padded = np.zeros((60, 15, 2))
    for row, each in enumerate(sequences):
        padded[row, : len(each)] = each
    lengths = np.array([len(each) for each in sequences])
    np.testing.assert_array_equal(trained.predict((padded, lengths)), trained.predict(table))
    longer = np.random.default_rng(0).normal(size=(3, 40, 2))
    assert trained.predict(longer).shape == (3,)
    with pytest.raises(DataError, match=r"2 channel\(s\) as in training, got 3"):
        trained.predict(np.zeros((3, 40, 3)))


@pytest.mark.parametrize(("net", "equal"), [("cnn", True), ("rnn", True), ("rnn", False), ("transformer", False)])
def test_every_net_reads_arrays(net, equal):
    sequences, answers = waves(equal=equal)
    data = np.stack(sequences) if equal else sequences
    made = fit((data, answers), net=net, settings={**QUICK, "depth": 1, "width": 32})
    assert made.plan.task == "single-label" and made.plan.net == net
    assert made.predict(data).shape == (60,)
    assert ("lengths" in made.kind.encode(made.record.schema_, data).inputs) is not equal


def test_few_sequences_are_learned_by_an_ensemble(tmp_path):
    sequences, answers = waves(equal=False)
    made = fit((sequences, answers), net="cnn", settings={**QUICK, "members": 3})
    assert made.network.head.members == 3 and made.embed(sequences).shape == (60, 3 * 64)
    apart = [net.state_dict()["stages.0.way_in.weight"] for net in made.network.net.net.nets]
    assert not torch.equal(apart[0], apart[1])
    loaded = ek.load(made.save(tmp_path / "run"))
    np.testing.assert_array_equal(loaded.predict_proba(sequences), made.predict_proba(sequences))


def test_recognised_without_being_named():
    sequences, answers = waves()
    for data in ((np.stack(sequences), answers), (sequences, answers), "a.ts"):
        assert kind_of(data, target="y").name == "sequence"
    for data in ("a.csv", (np.zeros((9, 3)), answers), pl.DataFrame({"a": [1]})):
        assert kind_of(data, target="y").name != "sequence"
    assert kind_of("a.csv", target="y", settings=["series"]).name == "sequence"


def test_numbers_and_labels_as_answers():
    sequences, answers = waves()
    X = np.stack(sequences)
    numbers = fit((X, X.mean((1, 2))), settings=QUICK)
    assert numbers.plan.task == "probabilistic-regression" and numbers.predict_distribution(X).mean.shape == (60,)
    labels = fit((X, np.stack([answers, 1 - answers], 1)), settings=QUICK)
    assert labels.plan.task == "multi-label" and labels.predict(X).shape == (60, 2)


def test_a_wide_table_where_it_is_said():
    sequences, answers = waves(channels=1)
    table = pl.DataFrame(np.stack(sequences)[:, :, 0], schema=[f"s{step}" for step in range(12)])
    table = table.with_columns(y=pl.Series(answers))
    made = fit(table, target="y", kind="sequence", settings=QUICK)
    assert made.record.schema_.steps == tuple(f"s{step}" for step in range(12))
    assert made.predict(table.drop("y")[::-1]).shape == (60,)
    assert made.evaluate(table)["accuracy"] >= 0.0


# What the user brings or gets wrong


class Mean(nn.Module):
    """The mean over steps; no lengths."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 5)

    def forward(self, values):
        return self.layer(values).mean(1)


def test_a_net_of_the_users_own(tmp_path):
    sequences, answers = waves()
    made = fit((np.stack(sequences), answers), net=Mean(), settings=QUICK)
    loaded = ek.load(made.save(tmp_path / "run"), net=Mean())
    np.testing.assert_array_equal(loaded.predict(sequences), made.predict(sequences))
    unequal, answers = waves(equal=False)
    with pytest.raises(RequestError, match="forward takes no `lengths`"):
        fit((unequal, answers), net=Mean(), settings=QUICK)
    with pytest.raises(RequestError, match="forward takes no `lengths`"):
        made.predict(unequal)


@pytest.mark.parametrize(
    ("data", "options", "error", "message"),
    [
        (stepwise(), {"net": "cnn"}, RequestError, "a cnn looks to both sides"),
        (stepwise(), {"net": "mlp"}, RequestError, "'mlp' reads table data, and this is a sequence"),
        (stepwise(), {"net": nn.Identity()}, RequestError, "takes no `lengths`"),
        (stepwise(), {"sample_weight": [1.0] * 30}, RequestError, "here each step has an answer"),
        (stepwise(), {"settings": {"direction": "future"}}, RequestError, "setting direction = 'future'"),
        (stepwise(5), {}, DataError, "at least 10 sequences, got 5"),
        ((waves()[0], [None, *waves()[1][1:51]]), {}, DataError, "X has 60 rows and y has 51"),
        ((np.zeros((20, 5, 2)), np.arange(20) % 2), {"split": "group:who"}, DataError, "no column 'who' to split by"),
        ((np.full((20, 5, 2), np.nan), np.arange(20) % 2), {}, DataError, "sequence 0 holds no number.*nor do 19 oth"),
        ((stepwise()[0], [np.full(len(each), np.nan) for each in stepwise()[0]]), {}, DataError, "no answer at its st"),
    ],
)
def test_says_what_is_wrong(data, options, error, message):
    with pytest.raises(error, match=message):
        fit(data, **options)


def test_sequences_without_an_answer_are_left_out_and_counted():
    sequences, answers = waves()
    some = [None, *answers.tolist()[1:]]
    made = fit((sequences, some), settings={**QUICK, "updates": 5})
    assert "1 of 60 rows have no target" in made.record.notes[0] and sum(made.record.rows.values()) == 59
    assert made.evaluate((sequences, some))["accuracy"] >= 0
    with pytest.raises(DataError, match="no sequence has a value of the target"):
        made.evaluate((sequences, [None] * 60))


def test_groups_and_weights_of_a_long_table_are_no_channels():
    sequences, answers = waves()
    table = long_table(sequences, answers)
    table = table.with_columns(who=pl.Series(np.repeat(np.arange(60) // 6, 12)), often=pl.lit(2.0))
    settings = {**QUICK, "updates": 5, "series": "id", "time": "t"}
    made = fit(table, target="y", split="group:who", sample_weight="often", settings=settings)
    assert [channel.name for channel in made.record.schema_.channels] == ["x0", "x1"]
    assert made.record.split.startswith("by group (who)")
    by_time = fit(table, target="y", split="time:who", settings=settings)
    assert by_time.record.split.startswith("by time (who)")


def test_an_interrupted_run_goes_on_bit_by_bit(tmp_path):
    from evenkeel.data.dataset import SplitRequest
    from evenkeel.kinds.base import DataRequest
    from evenkeel.network import build_network
    from evenkeel.plan import make_plan
    from evenkeel.train.checkpoint import restore_loop, save_loop
    from evenkeel.train.loop import Loop, Watchers

    kind = PARTS["sequence"]
    asked = DataRequest(split=SplitRequest(), options=kind.options())
    prepared = kind.prepare(waves(equal=False), asked)
    data = prepared.dataset
    recipe = {**kind.recipe("cnn", data, prepared.choice), "updates": 12, "width": 8, "members": 2, "net": "cnn"}
    plan = make_plan("single-label", rows=len(data.split.train), recipe=recipe)

    def loop():
        return Loop(build_network(plan, data)[0], data, plan, device=torch.device("cpu"))

    whole = loop()
    whole.run(Watchers())
    first = loop()
    first.run(Watchers(stop=lambda: "SIGINT" if first.state.update == 5 else ""))
    save_loop(first, tmp_path / "checkpoint")
    second = loop()
    restore_loop(second, tmp_path / "checkpoint")
    second.run(Watchers())
    assert second.state.update == 12 and first.state.update == 5
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name]), name


def test_statistics_come_from_the_training_rows_alone():
    sequences, answers = waves()
    parts = {"train": range(40), "validation": range(40, 50), "test": range(50, 60)}
    kept = fit((sequences, answers), split=parts, settings={**QUICK, "updates": 2})
    far = [each if index < 40 else each * 1e3 for index, each in enumerate(sequences)]
    changed = fit((far, answers), split=parts, settings={**QUICK, "updates": 2})
    assert kept.record.schema_.channels == changed.record.schema_.channels


def test_the_sample_keeps_what_the_report_draws(run):
    trained, _ = run
    assert {"shown.values", "shown.lengths"} <= set(trained.sample)
    assert len(trained.sample["shown.values"]) == len(trained.sample["target"])


def test_the_command_line_trains_on_a_file(tmp_path):
    sequences, answers = waves(equal=False, channels=1)
    lines = [",".join(map(str, each[:, 0])) + f":{y}" for each, y in zip(sequences, answers, strict=True)]
    path, out = tmp_path / "waves.ts", tmp_path / "run"
    path.write_text("@classLabel true 0 1\n@data\n" + "\n".join(lines))
    call = ["train", str(path), "--target", "pace", "--out", str(out), "--quiet", "--set", "updates=20"]
    result = CliRunner().invoke(cli, [*call, "--set", "width=8"])
    assert result.exit_code == 0, result.output
    assert "single-label" in result.output
    predicted = CliRunner().invoke(cli, ["predict", str(out), str(path)])
    assert predicted.exit_code == 0 and len(predicted.output.strip().splitlines()) == 61
    assert ek.load(out).record.target.name == "pace"
    assert CliRunner().invoke(cli, ["evaluate", str(out), str(path)]).exit_code == 0


def test_what_a_file_says_of_its_answers_goes(tmp_path):
    many = "\n".join(f"{index},{index % 7}:{index % 25}" for index in range(100))
    path = tmp_path / "a.ts"
    path.write_text(f"@classLabel true {' '.join(map(str, range(25)))}\n@data\n{many}\n")
    asked = PARTS["sequence"].options(), "sequence"
    from evenkeel.kinds.base import DataRequest

    prepared = PARTS["sequence"].prepare(path, DataRequest(options=asked[0]))
    assert prepared.choice.task == "single-label" and prepared.choice.reason == "the file calls its answers classes"
    path.write_text(f"@targetLabel true\n@data\n{many.replace(':2', ':1')}\n")
    prepared = PARTS["sequence"].prepare(path, DataRequest(options=asked[0]))
    assert prepared.choice.kind == "number"
    assert all_rows(prepared.dataset.target).dtype == torch.float64
