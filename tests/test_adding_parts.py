"""A part is one source file and its test file: toys of another package are used like our own, by name and by setting.

The toys are seen when a process starts, so one process uses them all and tells what it saw.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import _toys
import evenkeel

SETTINGS = {"updates": 10, "members": None, "width": 8}
TESTS = Path(__file__).parent
USE = """
import importlib, json, sys
from pathlib import Path

import evenkeel

seen = {"loaded": [name for name in sys.modules if name.startswith(("toy_shop", "evenkeel.losses", "torch"))]}

import numpy as np
import polars as pl
from click.testing import CliRunner

from evenkeel.cli import cli
from evenkeel.errors import RequestError
from evenkeel.parts import stub
from evenkeel.symptoms import findings
from evenkeel.symptoms.history import History

folder, settings = Path(sys.argv[1]), json.loads(sys.argv[2])
signal, noise = np.random.default_rng(0).normal(size=(2, 120))
frame = pl.DataFrame({"signal": signal, "noise": noise, "answer": 3 * signal + noise})
frame.write_csv(folder / "t.csv")

def fitted(name, data=frame, **request):
    run = evenkeel.fit(data, target="answer", progress=False, **request)
    run.report(folder / f"{name}.html")
    run.save(folder / name)
    again = evenkeel.load(folder / name)
    plan = json.loads(run.record.plan.model_dump_json())
    seen[name] = {
        "plan": plan,
        "page": (folder / f"{name}.html").read_text(),
        "metrics": run.record.metrics,
        "baselines": run.record.baselines,
        "head": run.record.head.summary,
        "same": bool((run.predict(frame) == again.predict(frame)).all()),
    }
    return run

of_loss = {**settings, "toy_factor": 2.0, "toy_gain": 0.5}
fitted("loss", task="regression", loss="toy_loss", net="toy_net", settings=of_loss)
run = fitted("head", task="toy-regression", settings={**settings, "toy_shift": 100.0})
seen["evaluated"] = sorted(run.evaluate(frame))
mean = float(np.mean(run.predict(frame)))
seen["shifted"] = 90 < mean < 110
run = fitted("named", task="regression", settings={**settings, "head": "a_toy_named", "toy_move": 50.0})
seen["moved"] = 40 < float(np.mean(run.predict(frame))) < 60
try:
    evenkeel.fit(frame, target="answer", task="regression", settings={"head": "toy_head"}, progress=False)
except RequestError as problem:
    seen["refused"] = str(problem)
from toy_shop.toy_kind.kind import ToyTable

fit = evenkeel.fit(ToyTable(frame), target="answer", task="regression", settings=settings, progress=False)
seen["kind"] = sorted(fit.metrics) if hasattr(fit, "metrics") else str(fit)
seen["symptoms"] = [each.symptom for each in findings(History(optimizer="descent", steps=3, losses=()))]

command = ["train", str(folder / "t.csv"), "--target", "answer", "--task", "regression", "--out", str(folder / "cli")]
command += ["--loss", "toy_loss", "--net", "toy_net", "--quiet", "--set", "toy_factor=2.0", "--set", "toy_gain=0.5"]
done = CliRunner().invoke(cli, [*command, "--set", "updates=10", "--set", "width=8"])
seen["command"] = [done.exit_code, done.output]
rest = [str(folder / "t.csv"), "--target", "answer", "--task", "regression", "--out", str(folder / "cli_head")]
done = CliRunner().invoke(cli, ["train", *rest, "--quiet", "--set", "head=a_toy_named", "--set", "updates=10"])
seen["head_by_command"] = [done.exit_code, done.output, evenkeel.load(folder / "cli_head").record.plan.head]
seen["command_plan"] = json.loads(evenkeel.load(folder / "cli").record.plan.model_dump_json())
seen["listed"] = {
    kind: CliRunner().invoke(cli, ["parts", kind]).output
    for kind in ("losses", "nets", "metrics", "heads", "symptoms", "kinds")
}
seen["bound"] = [evenkeel.losses.toy_loss.__name__, evenkeel.nets.ToyNet.__name__]
seen["stub"] = stub("toy_shop", "from evenkeel.parts import Part as Part").splitlines()
print(json.dumps(seen))
"""


def run(*arguments, path, cwd=None):
    """A Python process that has the toys installed."""
    source = Path(evenkeel.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(source), str(path)]), "COLUMNS": "120"}
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=cwd,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The folder in which the toys are installed."""
    return _toys.install(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def seen(shop, tmp_path_factory):
    """What a process saw that used every toy; any warning would have ended it."""
    done = run("-W", "error::UserWarning", "-c", USE, tmp_path_factory.mktemp("use"), json.dumps(SETTINGS), path=shop)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_options_of_a_loss_and_a_net_are_settings(seen):
    plan = seen["loss"]["plan"]
    assert (plan["loss"], plan["loss_options"]) == ("toy_loss", {"toy_factor": 2.0})
    assert (plan["net"], plan["net_options"]) == ("toy_net", {"toy_gain": 0.5})
    assert all(word in seen["loss"]["page"] for word in ("toy_loss", "toy factor", "toy_net", "toy gain"))


def test_the_command_line_sets_them_too(seen):
    assert seen["command"][0] == 0, seen["command"][1]
    plan = seen["command_plan"]
    assert (plan["loss_options"], plan["net_options"]) == ({"toy_factor": 2.0}, {"toy_gain": 0.5})


def test_a_head_brings_its_task_its_option_and_its_metric(seen):
    assert seen["head"]["plan"]["head_options"] == {"toy_shift": 100.0} and seen["shifted"]
    assert {"toy_metric", "rmse"} <= set(seen["evaluated"])
    assert all(word in seen["head"]["page"] for word in ("toy-regression", "toy shift", "a toy explanation"))
    assert _toys.HEAD.partition('summary="')[2].partition('"')[0] in seen["head"]["page"]


def test_a_saved_run_of_toys_predicts_the_same(seen):
    assert seen["loss"]["same"] and seen["head"]["same"]


def test_a_kind_reads_its_data(seen):
    assert "rmse" in seen["kind"]


def test_a_symptom_is_found(seen):
    assert "toy-symptom" in seen["symptoms"]


@pytest.mark.parametrize("kind", _toys.SOURCES)
def test_it_is_listed(seen, kind):
    name = {"symptoms": "toy-symptom", "kinds": "toy_kind"}.get(kind, _toys.SOURCES[kind][0])
    kind = kind.partition(".")[0]
    assert name in seen["listed"][kind] and "a toy among the" in seen["listed"][kind]


def test_a_metric_that_no_head_names_is_reported_for_the_tasks_that_it_names(seen):
    assert "a toy explanation" in seen["loss"]["page"]
    assert list(seen["loss"]["metrics"])[-1] == "toy_metric"
    assert "toy_metric" in seen["loss"]["baselines"]["linear"]


def test_a_head_is_chosen_by_its_name_alone(seen):
    """A head for a task that has one already; its name comes first in the alphabet, and yet the usual one is taken."""
    assert "head" not in seen["loss"]["plan"]
    assert seen["named"]["plan"]["head"] == "a_toy_named" and seen["named"]["plan"]["head_options"] == {
        "toy_move": 50.0
    }
    assert seen["moved"] and seen["named"]["same"]
    assert "a toy among the heads of a task" in seen["named"]["page"] and "toy move" in seen["named"]["page"]
    assert "a toy among" not in seen["loss"]["head"]
    assert seen["head_by_command"][0] == 0, seen["head_by_command"][1]
    assert seen["head_by_command"][2] == "a_toy_named"


def test_a_head_that_does_not_fit_is_refused(seen):
    assert "head 'toy_head' answers toy-regression, not regression" in seen["refused"]


def test_its_names_are_bound_and_importing_the_package_loads_no_part(seen):
    assert seen["bound"] == ["toy_loss", "ToyNet"]
    assert seen["loaded"] == []


def test_the_stub_of_its_folder_names_its_functions(seen):
    named = (
        "toy_loss import toy_loss",
        "toy_loss import ToyLossLoss",
        "toy_net import ToyNet",
        "toy_head import ToyHead",
    )
    for line in named:
        assert f"from .{line} as {line.rpartition(' ')[2]}" in seen["stub"]


def test_the_laws_know_every_toy_without_a_table(shop):
    """Each part's own test file says what its laws must know of it: the plain formula, the base rate."""
    laws = sorted(map(str, TESTS.glob("*/test_laws.py")))
    options = ("-rA", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", "toy")
    done = run("-m", "pytest", *options, *laws, path=shop, cwd=TESTS.parent)
    assert done.returncode == 0, done.stdout[-3000:]
    passed = [line.replace("-", "_") for line in done.stdout.splitlines() if line.startswith("PASSED")]
    for group, (name, _) in _toys.SOURCES.items():
        folder = f"tests/{group.partition('.')[0]}/"
        assert group == "kinds" or any(name in line and folder in line for line in passed), group
