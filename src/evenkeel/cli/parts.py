"""`evenkeel parts [KIND]`: what there is to choose from, read from the folders themselves."""

from __future__ import annotations

import importlib

import click
from rich.console import Console
from rich.table import Table

KINDS = ("losses", "heads", "nets", "metrics", "symptoms", "kinds", "samples", "settings")


@click.command(short_help="List what there is to choose from.")
@click.argument("kind", required=False, type=click.Choice(KINDS))
def parts(kind: str | None) -> None:
    """List the parts of a KIND: losses, heads, nets, metrics, symptoms, kinds of data, samples, settings; or all."""
    console = Console(width=None if Console().is_terminal else 120)
    for each in (kind,) if kind else KINDS:
        console.print(_table(each))


def _table(kind: str) -> Table:
    table = Table("name", "what for", "source" if kind not in ("samples", "settings") else "default", title=kind)
    if kind == "settings":
        from evenkeel.plan import Plan

        for name, field in Plan.model_fields.items():
            default = "by the data" if field.is_required() else repr(field.default)
            table.add_row(name, field.description or "", default)
        for record in importlib.import_module("evenkeel.kinds").PARTS.values():
            for name, field in record.options.model_fields.items():
                table.add_row(name, f"{record.name} data: {field.description or ''}", repr(field.default))
    elif kind == "samples":
        from evenkeel.data.table import SAMPLES

        for name in SAMPLES:
            table.add_row(f"sample:{name}", "ships inside scikit-learn; the target is the column 'target'", "")
    else:
        for name, record in importlib.import_module(f"evenkeel.{kind}").PARTS.items():
            task = f"{record.call.task}: " if kind == "heads" else ""
            table.add_row(name, task + record.summary, record.source)
    return table
