"""What Ctrl-C and SIGTERM leave behind: the best network so far, and a checkpoint from which the same call goes on."""

import os
import signal
import threading

import pytest
from torch import nn

from _small import SETTINGS, same, small_table
from evenkeel.errors import SavedRunError
from evenkeel.run.fit import fit
from evenkeel.run.run import CHECKPOINT, load
from evenkeel.train.step import TrainingStep

HEIGHT = small_table("regression")


def quick(**options):
    """A short silent fit on the small table."""
    settings = {**SETTINGS, "updates": 20, **options.pop("settings", {})}
    return fit(HEIGHT, target="height", task="regression", progress=False, settings=settings, **options)


def signal_at(monkeypatch, update, number):
    """Send this process a signal in the middle of an update."""
    plain, count = TrainingStep.__call__, []

    def call(self, *batch, **named):
        count.append(1)
        if len(count) == update:
            os.kill(os.getpid(), number)
        return plain(self, *batch, **named)

    monkeypatch.setattr(TrainingStep, "__call__", call)


LONG = {"updates": 60, "evaluations": 6, "patience": 9.0}


@pytest.mark.parametrize("number, name", [(signal.SIGINT, "SIGINT"), (signal.SIGTERM, "SIGTERM")])
@pytest.mark.parametrize("update", [1, 25])
def test_a_signal_keeps_the_best_so_far_and_the_same_call_goes_on(tmp_path, monkeypatch, number, name, update):
    whole = quick(settings=LONG)
    with monkeypatch.context() as patch:
        signal_at(patch, update, number)
        run = quick(settings=LONG, out=tmp_path / "run")
    assert run.record.ended == name and run.history[-1].update == update
    assert run.metrics and run.record.baselines == {} and run.record.importance == ()
    saved = load(tmp_path / "run")
    assert same(saved.network.state_dict(), run.network.state_dict()) and saved.record.ended == name
    assert (tmp_path / "run" / CHECKPOINT).is_dir() and "Training was interrupted" in run.report_text()
    again = quick(settings=LONG, out=tmp_path / "run")
    assert same(again.network.state_dict(), whole.network.state_dict())
    assert again.metrics == whole.metrics and again.record.ended == "budget" and again.record.baselines
    assert not (tmp_path / "run" / CHECKPOINT).exists()


def test_ctrl_c_at_any_moment_from_another_thread(tmp_path):
    started = threading.Event()

    class Tells(nn.Sequential):
        def forward(self, x):
            if self.training:
                started.set()
            return super().forward(x)

    net = Tells(nn.Linear(8, 12), nn.ReLU())

    def press():
        started.wait()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    run = quick(net=net, out=tmp_path / "run", settings={"updates": 100_000, "patience": 9.0})
    thread.join()
    assert run.record.ended == "SIGINT" and 1 <= run.history[-1].update < 100_000
    assert load(tmp_path / "run", net=net).record.ended == "SIGINT"


def test_a_signal_while_measuring_costs_only_the_comparison(tmp_path, monkeypatch):
    """After hours of training, Ctrl-C during the baselines must not lose the network."""

    def slow(*args, **kwargs):
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("left at once")

    with monkeypatch.context() as patch:
        patch.setattr("evenkeel.run.measure.baseline_scores", slow)
        run = quick(out=tmp_path / "run")
    assert run.record.ended == "SIGTERM" and run.history[-1].update == 20 and run.metrics
    again, whole = quick(out=tmp_path / "run"), quick()
    assert same(again.network.state_dict(), whole.network.state_dict()) and again.record.baselines
    assert again.metrics == whole.metrics and again.record.ended == "budget"


def test_an_interrupted_run_of_another_request_is_refused_and_resume_never_starts_anew(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        signal_at(patch, 5, signal.SIGINT)
        quick(settings=LONG, out=tmp_path / "run")
    with pytest.raises(SavedRunError, match=r"interrupted with seed = 0, this asks for 1; .*resume='never'"):
        quick(settings=LONG, seed=1, out=tmp_path / "run")
    assert (tmp_path / "run" / CHECKPOINT).is_dir(), "nothing is lost by asking"
    run = quick(settings=LONG, seed=1, out=tmp_path / "run", resume="never")
    assert run.record.ended == "budget" and not (tmp_path / "run" / CHECKPOINT).exists()
