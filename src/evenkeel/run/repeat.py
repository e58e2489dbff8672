"""How a run is repeated and used: commands and calls for its report."""

from __future__ import annotations

from pathlib import PurePath

from evenkeel import page as report
from evenkeel.run.run import Run


def _use(run: Run) -> str:
    """The call that a run of this kind is for."""
    record, reads = run.record, run.part.reads
    if reads == "tokens" and run.plan.task == "generation":
        return 'run.generate("It begins so")  # what follows'
    if reads == "inputs":
        return "run.draw(4)  # new examples; also run.interpolate, run.encode"
    call = "embed" if run.plan.task == "embedding" else "predict"
    suffix = ".csv" if record.source.startswith("sample:") else PurePath(record.source).suffix
    in_memory = " " in record.source
    new = "new" if in_memory else f'"new{suffix or "/"}"'
    return f"run.{call}({new})  # {record.target.name or run.kind.name}, as it was trained on"


def repeats(run: Run) -> list[report.Snippet]:
    """Train it again, use it, and what it was computed by."""
    record = run.record
    call = f'import evenkeel as ek\n\nrun = ek.load("this folder")\n{_use(run)}'
    found = [report.Snippet(title="Use it", code=call)]
    if record.command:
        found.insert(0, report.Snippet(title="Train it again", code=record.command))
    return [*found, report.Snippet(title="Computed by", code=record.engine)]
