"""The command itself: its help, its exit codes, and no traceback for what is the user's own to mend."""

import json
from pathlib import Path

import click
import pytest

from _small import small_frame, small_run
from evenkeel import cli
from evenkeel.cli import main
from evenkeel.run.run import Run, load
from evenkeel.version import VERSION

COMMANDS = ("train", "predict", "evaluate", "generate", "report", "parts")


@pytest.fixture
def shell(monkeypatch, capsys):
    """Run a command line in this process: its exit code, standard output and standard error."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["evenkeel", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def failing(monkeypatch):
    """A command that raises."""

    def add(problem):
        @click.command()
        def fail():
            raise problem

        monkeypatch.setitem(cli.cli.commands, "fail", fail)

    return add


def test_help_of_every_command(shell, golden, monkeypatch):
    monkeypatch.setenv("COLUMNS", "110")
    texts = [shell("--help")[1], *(shell(command, "--help")[1] for command in COMMANDS)]
    golden("help.txt", "\n".join(texts))
    assert set(cli.cli.commands) == set(COMMANDS)


def test_help_and_version_end_with_0(shell):
    assert shell("-h")[0] == shell("--version")[0] == shell("parts", "heads")[0] == 0
    assert shell("--version")[1] == f"evenkeel, version {VERSION}\n"


def test_wrong_usage_ends_with_2(shell):
    for arguments, told in {
        ("trian",): "No such command 'trian'",
        ("train", "t.csv", "--target", "y", "--epochs", "0"): "Invalid value for '--epochs'",
        ("train", "t.csv", "--target", "y", "--test", "1.5"): "Invalid value for '--test'",
        ("predict", "run"): "Missing argument 'DATA'",
    }.items():
        code, out, err = shell(*arguments)
        assert (code, out) == (2, "") and told in err and "Usage: " in err


ERRORS = {
    "target": ("train", "t.csv", "--target", "hight"),
    "task": ("train", "t.csv", "--target", "height", "--task", "regresion"),
    "class as number": ("train", "t.csv", "--target", "class", "--task", "regression"),
    "net": ("train", "t.csv", "--target", "height", "--net", "mpl"),
    "net of other data": ("train", "t.csv", "--target", "height", "--net", "cnn"),
    "loss": ("train", "t.csv", "--target", "height", "--loss", "cross_entropy"),
    "setting": ("train", "t.csv", "--target", "height", "--set", "widht=64"),
    "value": ("train", "t.csv", "--target", "height", "--set", "dropout=2"),
    "no value": ("train", "t.csv", "--target", "height", "--set", "width"),
    "split": ("train", "t.csv", "--target", "height", "--split", "time:town"),
    "weight": ("train", "t.csv", "--target", "height", "--weight", "wight"),
    "device": ("train", "t.csv", "--target", "height", "--device", "abacus"),
    "sample": ("train", "sample:iris", "--target", "target"),
    "no run": ("predict", "nowhere", "t.csv"),
}


def test_what_is_wrong_is_one_message_and_1(shell, golden, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small_frame().write_csv("t.csv")
    told = []
    for name, arguments in ERRORS.items():
        code, out, err = shell(*arguments)
        assert (code, out) == (1, "") and err.startswith("evenkeel: ") and err.count("\n") == 1, name
        told.append(f"$ evenkeel {' '.join(arguments)}\n{err}")
    golden("errors.txt", "\n".join(told))
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"], "nothing half done"


FAST = ("--set", "updates=10", "--set", "members=2", "--set", "width=16", "--quiet")


def test_a_folder_is_named_after_the_data_and_keeps_what_is_not_the_runs(shell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small_frame().write_csv("weather.csv")
    assert shell("train", "weather.csv", "--target", "height", *FAST)[0] == 0
    assert load("weather-run").record.command.startswith("evenkeel train weather.csv --target height")
    (tmp_path / "weather-run" / "notes.txt").write_text("mine")
    assert shell("train", "weather.csv", "--target", "height", "--fresh", *FAST)[0] == 0
    assert (tmp_path / "weather-run" / "notes.txt").read_text() == "mine"


def test_a_finished_run_of_another_command_is_refused_and_a_failed_fresh_one_loses_nothing(
    shell, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    small_frame().write_csv("t.csv")
    shell("train", "t.csv", "--target", "height", "--out", "run", *FAST)
    code, out, err = shell("train", "t.csv", "--target", "count", "--out", "run", *FAST)
    assert code == 1 and not out, "figures of another run would be taken for an answer"
    assert "run holds a finished run of another command: evenkeel train t.csv --target height" in err
    code, out, err = shell("train", "t.csv", "--target", "height", "--out", "run", *FAST, "--quiet")
    assert code == 0 and "run holds a finished run; --fresh trains anew." in out
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    assert shell("train", "gone.csv", "--target", "height", "--out", "run", "--fresh", *FAST)[0] == 1
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


def test_json_knows_no_infinity(shell, tmp_path, monkeypatch):
    monkeypatch.setattr(Run, "evaluate", lambda self, data: {"rmse": 1.5, "nll": float("inf"), "r2": float("nan")})
    small_run("regression").save(tmp_path / "run")
    code, out, _ = shell("evaluate", tmp_path / "run", "any.csv", "--json")
    assert code == 0 and json.loads(out) == {"rmse": 1.5, "nll": None, "r2": None}


@pytest.mark.parametrize("problem", [KeyboardInterrupt(), click.Abort()])
def test_ctrl_c_ends_with_130(shell, failing, problem):
    failing(problem)
    code, out, err = shell("fail")
    assert (code, out, err.strip()) == (130, "", "evenkeel: interrupted")


def test_a_reader_that_stops_reading_is_no_error(shell, failing, monkeypatch):
    closed = []
    monkeypatch.setattr("sys.stderr.close", lambda: closed.append(True), raising=False)
    failing(BrokenPipeError())
    assert shell("fail")[0] == 0 and closed


def test_a_mistake_of_ours_keeps_its_traceback(shell, failing):
    failing(ZeroDivisionError("ours"))
    with pytest.raises(ZeroDivisionError, match="ours"):
        shell("fail")


def test_each_file_of_the_folder_is_the_command_of_its_name():
    files = {path.stem for path in Path(cli.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == set(cli.cli.commands)
