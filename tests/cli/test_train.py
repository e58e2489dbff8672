"""`evenkeel train`: exit codes, messages, folders that exist, and signals, as a person meets them."""

import signal
import subprocess
import sys

import polars as pl
import pytest

from _small import small_frame
from cli._terminal import FAST, ended, invoke, process
from evenkeel.cli.train import default_folder, read_settings, split_names
from evenkeel.errors import RequestError
from evenkeel.run.run import load


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "weather.csv"
    small_frame().write_csv(path)
    return path


def test_train_saves_a_run_and_says_where(table, tmp_path):
    result = invoke("train", table, "--target", "height", "--out", tmp_path / "run", *FAST)
    assert result.exit_code == 0, result.output
    assert "task: probabilistic-regression" in result.output
    assert f"the report: {tmp_path / 'run' / 'report.html'}" in result.output
    assert load(tmp_path / "run").record.metrics["rmse"] > 0


def test_the_same_command_again_does_nothing_and_fresh_trains_anew(table, tmp_path):
    command = ["train", table, "--target", "height", "--out", tmp_path / "run", *FAST]
    assert invoke(*command).exit_code == 0
    before = (tmp_path / "run" / "run.json").read_bytes()
    again = invoke(*command)
    assert again.exit_code == 0 and "holds a finished run" in again.output
    assert (tmp_path / "run" / "run.json").read_bytes() == before
    anew = invoke(*command, "--fresh", "--seed", "7")
    assert anew.exit_code == 0 and load(tmp_path / "run").plan.seed == 7


def test_a_folder_with_something_else_is_left_alone(table, tmp_path):
    other = tmp_path / "holiday"
    other.mkdir()
    (other / "photo.txt").write_text("sea")
    for extra in ([], ["--fresh"]):
        done = ended("train", table, "--target", "height", "--out", other, *FAST, *extra, folder=tmp_path)
        assert done.returncode == 1
        assert "holds something that is not a run" in done.stderr
    assert [path.name for path in other.iterdir()] == ["photo.txt"]


def write(path, text):
    path.write_text(text)
    return path


ROWS = "\n".join(f"{index},{index % 7},5" for index in range(40))
WRONG = {
    "no such file": lambda folder: (folder / "nope.csv", "y", "no such file"),
    "empty": lambda folder: (write(folder / "empty.csv", ""), "y", "is empty"),
    "wrong target": lambda folder: (write(folder / "t.csv", f"a,bee,c\n{ROWS}"), "bea", "did you mean 'bee'"),
    "one value": lambda folder: (write(folder / "t.csv", f"a,b,c\n{ROWS}"), "c", "nothing to learn"),
    "3 rows": lambda folder: (write(folder / "t.csv", "a,y\n1,2\n2,3\n3,4.5\n"), "y", "at least 10 rows"),
    "infinite target": lambda folder: (
        write(folder / "t.csv", "a,y\n" + "\n".join(f"{i},{i}.5" for i in range(30)) + "\n1,inf\n"),
        "y",
        "infinite",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_data_ends_with_one_message_and_exit_code_1(case, tmp_path):
    path, target, told = WRONG[case](tmp_path)
    done = ended("train", path, "--target", target, "--out", tmp_path / "run", *FAST, folder=tmp_path)
    assert done.returncode == 1
    assert told in done.stderr and "Traceback" not in done.stderr
    assert done.stderr.startswith("evenkeel: ") and done.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_columns_that_cannot_be_used_are_named(tmp_path):
    frame = small_frame().with_columns(pl.lit(None).alias("empty"), pl.lit(1).alias("same"))
    frame = frame.with_columns(
        pl.when(pl.int_range(pl.len()) < 3).then(float("inf")).otherwise(pl.col("noise")).alias("noise")
    )
    frame.write_csv(tmp_path / "t.csv")
    result = invoke("train", tmp_path / "t.csv", "--target", "height", "--out", tmp_path / "run", *FAST)
    assert result.exit_code == 0
    assert "'empty' is left out: no value is present" in result.output
    assert "'same' is left out: the same value" in result.output


@pytest.mark.parametrize(
    ("run", "wrong"), [(ended, ["train"]), (ended, ["train", "x.csv", "--target", "y", "--bogus"]), (process, ["fly"])]
)
def test_wrong_usage_is_exit_code_2(run, wrong, tmp_path):
    done = run(*wrong, folder=tmp_path)
    assert done.returncode == 2 and "Usage:" in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_with_a_complete_save_and_the_same_command_goes_on(number, code, table, tmp_path):
    script = "from evenkeel.cli import main; main()"
    small = ["--set", "members=2", "--set", "width=16", "--set", "updates=200000", "--set", "patience=1"]
    arguments = ["train", str(table), "--target", "height", "--out", str(tmp_path / "run"), *small]
    with subprocess.Popen([sys.executable, "-c", script, *arguments], stderr=subprocess.PIPE, text=True) as started:
        assert started.stderr is not None
        # Without a terminal the first line of progress says that training is under way.
        assert "update" in started.stderr.readline()
        started.send_signal(number)
        started.stderr.read()
        assert started.wait(timeout=120) == code
    stopped = load(tmp_path / "run")
    assert stopped.record.ended == signal.Signals(number).name
    limited = ended(*arguments, "--time-limit", "0.01", folder=tmp_path)
    assert limited.returncode in (0, 1), limited.stderr


def test_settings_are_read_as_values():
    assert read_settings(("width=12", "norm=none", "skip=plain", "dropout=0.5")) == {
        "width": 12,
        "norm": None,
        "skip": "plain",
        "dropout": 0.5,
    }
    with pytest.raises(RequestError, match="KEY=VALUE"):
        read_settings(("width",))


@pytest.mark.parametrize(("wrong", "told"), [("widht=3", "did you mean 'width'"), ("width=-3", "width = -3")])
def test_a_setting_that_makes_no_sense(wrong, told, table, tmp_path):
    result = invoke("train", table, "--target", "height", "--out", tmp_path / "run", "--set", wrong)
    assert isinstance(result.exception, RequestError) and told in str(result.exception)


def test_names():
    assert default_folder("a/houses.csv.gz") == "houses-run" and default_folder("sample:wine") == "wine-run"
    assert split_names("a, b") == ["a", "b"] and split_names("price") == "price"


def test_help(golden):
    golden("help_train.txt", invoke("train", "--help").output)
