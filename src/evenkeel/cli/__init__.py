"""The command line: `evenkeel COMMAND`, where each file of this folder is the command of its name.

Exit codes: 0 done; 1 the data or request is wrong (one message, no traceback); 2 usage; 130 Ctrl-C and 143 SIGTERM,
each after a complete save.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

import click

from evenkeel.errors import EvenkeelError
from evenkeel.version import VERSION


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(VERSION, prog_name="evenkeel")
def cli() -> None:
    """Neural networks that train soundly, and the reason when they do not."""


for file in pkgutil.iter_modules(__path__):
    cli.add_command(getattr(importlib.import_module(f"{__name__}.{file.name}"), file.name))


def main() -> None:
    """Run the command line and end the process with its exit code."""
    try:
        cli.main(prog_name="evenkeel", standalone_mode=False)
    except click.ClickException as problem:
        problem.show()
        sys.exit(problem.exit_code)
    except EvenkeelError as problem:
        click.echo(f"evenkeel: {problem}", err=True)
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        click.echo("evenkeel: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has stopped reading, as `head` does; that is no error of ours.
        sys.stderr.close()
        sys.exit(0)
