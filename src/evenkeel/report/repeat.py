"""How a run is repeated and used: commands and calls for its report."""

from __future__ import annotations

from pathlib import PurePath

from evenkeel.page import Snippet
from evenkeel.record import RunRecord


def repeat(record: RunRecord) -> list[Snippet]:
    """The command that trains it again, the call that uses it, and what it was computed by."""
    call = f'import evenkeel as ek\n\nrun = ek.load("this folder")\n{_usage(record)}'
    again = [Snippet(title="Train it again", code=record.command)] if record.command else []
    return [*again, Snippet(title="Use it", code=call), Snippet(title="Computed by", code=record.engine)]


def _usage(record: RunRecord) -> str:
    """The call that a run with this head is for."""
    in_memory = " " in record.source
    suffix = ".csv" if record.source.startswith("sample:") else PurePath(record.source).suffix
    new = "new" if in_memory else f'"new{suffix or "/"}"'
    return record.head.usage.format(new=new, name=record.target.name or record.kind.name)
