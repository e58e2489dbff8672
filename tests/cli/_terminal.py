"""The command line as a person meets it: in this process for speed, in one of its own for exit codes."""

import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from evenkeel.cli import cli

FAST = ["--set", "updates=40", "--set", "members=2", "--set", "width=16", "--quiet"]

TASKS = {  # target, and the columns of a table of predictions
    "regression": ("height", ["prediction"]),
    "probabilistic-regression": ("height", ["prediction", "low 5%", "high 95%"]),
    "positive-regression": ("count", ["prediction", "low 5%", "high 95%"]),
    "single-label": ("class", ["prediction", "probability high", "probability low", "probability middle"]),
    "multi-label": ("wet,cold", ["wet", "cold", "probability wet", "probability cold"]),
}


def invoke(*arguments: str) -> Result:
    """Run in this process; errors that are not click's stay exceptions in `result.exception`."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def process(*arguments: str, folder: Path) -> subprocess.CompletedProcess:
    """Run as a process of its own, as from a shell in `folder`."""
    code = "from evenkeel.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300, check=False)
