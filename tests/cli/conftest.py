"""Small runs of every task that were trained from the command line."""

import pytest

from _small import small_frame
from cli._terminal import FAST, TASKS, invoke


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """A small run of every task, and the table they were trained on."""
    folder = tmp_path_factory.mktemp("runs")
    small_frame().write_csv(folder / "weather.csv")
    for task, (target, _) in TASKS.items():
        command = ["train", folder / "weather.csv", "--target", target, "--task", task, "--out", folder / task]
        result = invoke(*command, *FAST)
        assert result.exit_code == 0, result.output
    return folder
