import io

import pytest
from rich.console import Console

from evenkeel.train import progress
from evenkeel.train.loop import Look, LoopState
from evenkeel.train.progress import TrainingProgress, describe_look


def look(update=10, **changes):
    values = {"train_loss": 0.51234, "gradient_norm": 1.0, "validation_loss": 0.61234, "skipped": 0}
    return Look(update=update, samples=32 * update, seconds=update / 100, rate=1e-3, **{**values, **changes})


@pytest.mark.parametrize(
    "changes, words",
    [
        ({}, "loss 0.5123 · validation 0.6123"),
        ({"validation_loss": None}, "loss 0.5123"),
        ({"train_loss": None, "skipped": 7}, "validation 0.6123 · 7 non-finite steps skipped"),
        ({"train_loss": None, "validation_loss": None}, ""),
    ],
)
def test_a_look_in_words(changes, words):
    assert describe_look(look(**changes)) == words


def test_lines_come_now_and_then_and_at_the_end(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 1e9)
    with TrainingProgress(40, "lines") as shown:
        watchers = shown.watchers(lambda: "")
        for update in (10, 20, 30, 40):
            watchers.step(LoopState(update=update))
            watchers.look(look(update))
    out, err = capsys.readouterr()
    assert out == "" and err == "update 40/40 · loss 0.5123 · validation 0.6123 · 100 updates/s · at most 0 s left\n"


def test_a_line_tells_how_much_time_is_left_at_most(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", -1.0)
    with TrainingProgress(4000, "lines") as shown:
        shown.watchers(lambda: "").look(look(1000))
    assert capsys.readouterr().err.endswith("100 updates/s · at most 30 s left\n")


def test_a_pipe_gets_lines_and_a_terminal_a_bar():
    assert TrainingProgress(10, "auto").style == "lines", "pytest is no terminal"


def test_a_bar_shows_updates_losses_and_speed(monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_DRAWS", -1.0)
    written = io.StringIO()
    monkeypatch.setattr(progress, "Console", lambda file: Console(file=written, force_terminal=True, width=120))
    with TrainingProgress(40, "auto") as shown:
        assert shown.style == "bar"
        watchers = shown.watchers(lambda: "")
        watchers.look(look(20))
        watchers.step(LoopState(update=20, seconds=0.2))
    assert "20/40" in written.getvalue() and "loss 0.5123 · validation 0.6123 · 100 updates/s" in written.getvalue()


def test_silence_is_silent(capsys):
    with TrainingProgress(10, "silent") as shown:
        watchers = shown.watchers(lambda: "SIGINT")
        watchers.look(look(10))
        watchers.step(LoopState(update=10))
        assert watchers.stop() == "SIGINT"
    assert capsys.readouterr() == ("", "")
