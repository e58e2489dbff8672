"""`evenkeel evaluate` on a run of every task."""

import json

import pytest

from cli._terminal import TASKS, ended, invoke


@pytest.mark.parametrize("task", TASKS)
def test_evaluate_gives_numbers(task, runs):
    found = json.loads(invoke("evaluate", runs / task, runs / "weather.csv", "--json").output)
    assert found and all(isinstance(value, float) for value in found.values())
    plain = invoke("evaluate", runs / task, runs / "weather.csv").output
    assert [line.split()[0] for line in plain.splitlines()] == list(found)


def test_a_folder_that_is_no_run_ends_with_one_message(tmp_path, runs):
    done = ended("evaluate", tmp_path / "nowhere", "x.csv", folder=tmp_path)
    assert done.returncode == 1 and done.stderr.startswith("evenkeel: ") and "Traceback" not in done.stderr
