"""The section on the data: where they come from, how they were understood, the target, every column."""

from collections.abc import Sequence

from evenkeel.page.html import Heading, Markup, beside, facts, figure, fold, join, table, tag
from evenkeel.page.sections import Count, DataSection, ShownColumn
from evenkeel.page.verdict import toned
from evenkeel.svg import bar_chart, histogram_chart, number, numbers, percent

MOST_CLASSES = 12  # bars of the target's classes; the rest are in the folded table


def data_section(data: DataSection) -> Markup:
    """Facts beside the target's distribution, then notes and the columns."""
    understood = facts(
        [
            ("Source", data.source),
            ("Rows", _rows(data)),
            ("Split", data.split),
            ("Target", f"{data.target} ({data.unit})" if data.unit else data.target),
            ("Task", f"{data.task}: {data.reason}" if data.reason else data.task),
        ]
    )
    return join(
        beside(understood, _target(data)),
        toned(data.notes),
        join(tag("h3", "Columns"), _columns(data)) if data.columns else "",
    )


def _rows(data: DataSection) -> str:
    parts = ", ".join(f"{number(part.count)} {part.name}" for part in data.parts)
    return f"{number(sum(part.count for part in data.parts))}: {parts}" if data.parts else ""


def _target(data: DataSection) -> Markup:
    if data.target_counts:
        return tag("div", figure(_class_bars(data)), _all_classes(data.target_counts))
    if data.target_values is None or len(numbers(data.target_values)) == 0:
        return Markup("")
    label = f"{data.target} ({data.unit})" if data.unit else data.target
    title = f"{data.target} of {data.target_rows:,} test rows" if data.target_rows else data.target
    return figure(histogram_chart(data.target_values, title=title, x_label=label, height=240))


def _class_bars(data: DataSection) -> str:
    counts = data.target_counts
    total = data.target_rows or max(1, sum(one.count for one in counts))
    common = sorted(counts, key=lambda one: -one.count)[:MOST_CLASSES]
    return bar_chart(
        [one.name for one in common],
        [one.count for one in common],
        title=data.target,
        label="test rows"
        if len(common) == len(counts)
        else f"test rows, the {MOST_CLASSES} most common of {len(counts)}",
        written=[f"{number(one.count)} ({percent(one.count / total)})" for one in common],
    )


def _all_classes(counts: Sequence[Count]) -> Markup:
    if len(counts) <= MOST_CLASSES:
        return Markup("")
    rows = [[one.name, number(one.count)] for one in counts]
    return fold(f"all {len(counts)}", table([Heading(text="Class"), Heading(text="Rows", kind="number")], rows))


def _columns(data: DataSection) -> Markup:
    total = sum(part.count for part in data.parts)
    headings = [Heading(text="Column"), Heading(text="Kind"), Heading(text="Missing", kind="number")]
    headings += [Heading(text="For example"), Heading(text="Note")]
    rows = [
        [column.name, column.kind, _missing(column.missing, total), ", ".join(column.examples), _note(column)]
        for column in data.columns
    ]
    return table(headings, rows, rest="columns")


def _missing(missing: int, total: int) -> str:
    if not missing:
        return "0"
    return (
        f"{number(missing)} ({percent(missing / total, 1 if missing < 0.1 * total else 0)})" if total else f"{missing}"
    )


def _note(column: ShownColumn) -> Markup:
    role = {"input": "", "target": "target", "left out": "left out"}[column.role]
    tone = "accent" if column.role == "target" else "warning"
    if not role:
        return join(column.note)
    return join(tag("span", role, class_=f"tag {tone}"), f" {column.note}" if column.note else "")
