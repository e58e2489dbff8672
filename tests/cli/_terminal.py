"""The command line as a person meets it: in this process, and in one of its own where the process is the point."""

import contextlib
import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

from evenkeel.cli import cli, main

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


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What a command left: its exit code and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def ended(*arguments: str, folder: Path) -> Ended:
    """Run `main`, as the installed command does, in this process and in `folder`, up to its exit code."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        before, sys.argv = sys.argv, ["evenkeel", *map(str, arguments)]
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        finally:
            sys.argv = before
    return Ended(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())


def process(*arguments: str, folder: Path) -> subprocess.CompletedProcess:
    """Run as a process of its own, as from a shell in `folder`."""
    code = "from evenkeel.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300, check=False)
