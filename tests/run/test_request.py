import pytest
import torch

from _small import TARGETS, same, small_dataset, small_plan
from evenkeel.heads.for_task import head_for
from evenkeel.network import build_network
from evenkeel.run.request import Request, _engine
from evenkeel.task import TaskChoice
from evenkeel.train.evaluate import outputs
from evenkeel.train.scores import scores
from evenkeel.train.signals import Interruption


def request(task="regression", data=None, **settings):
    return Request(
        dataset=data or small_dataset(task),
        choice=TaskChoice(task=task, kind=head_for(task).target, counts=False, reason="as asked"),
        plan=small_plan(task, **settings),
        net=None,
        loss=None,
        device=torch.device("cpu"),
        progress=False,
        checkpoint=None,
        resume="auto",
        command="evenkeel train t.csv",
    )


@pytest.mark.parametrize("task", TARGETS)
def test_the_figures_are_those_of_the_test_rows_after_calibration(task):
    asked = request(task)
    run = asked.carry_out(Interruption())
    data = asked.dataset
    rows = torch.from_numpy(data.split.test)
    found = scores(head_for(task), run.network.head, outputs(run.network, data.inputs, rows), data.target[rows])
    assert found == run.metrics and tuple(found) == head_for(task).metrics
    assert run.record.best_update in [look.update for look in run.history]
    assert run.record.command == "evenkeel train t.csv" and run.record.reason == "as asked"


def test_the_network_has_the_weights_of_the_best_look():
    run = request(updates=200, learning_rate=0.05, patience=9.0).carry_out(Interruption())
    best = min(run.history, key=lambda look: look.validation_loss)
    assert run.record.best_update == best.update
    assert not run.network.training and not same(
        run.network.state_dict(), build_network(run.plan, small_dataset("regression"))[0].state_dict()
    )


def test_intervals_are_calibrated_on_the_validation_rows():
    run = request("probabilistic-regression").carry_out(Interruption())
    assert run.network.head.width != 1
    without = request("probabilistic-regression", small_dataset("probabilistic-regression", validation=0.0))
    assert without.carry_out(Interruption()).network.head.width == 1


def test_the_engine_is_told():
    text = _engine(torch.device("cpu"), changed=True)
    assert torch.__version__ in text and "cpu" in text and "oneDNN products" in text
    assert f"{torch.get_num_threads()} threads" in text and "default products" in _engine(torch.device("cpu"), False)
