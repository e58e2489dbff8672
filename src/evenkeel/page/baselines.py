"""The section that sets the network beside simpler models on the same test rows."""

import numpy as np

from evenkeel.page.html import Content, Heading, Markup, aligned, join, paragraph, table, tag
from evenkeel.page.sections import BaselineRow, BaselinesSection, ShownMetric


def baselines_section(section: BaselinesSection) -> Markup:
    """A plain sentence, and a table whose best value of every metric is set in bold."""
    best = [_best(section, index) for index in range(len(section.metrics))]
    heads = [Heading(text=_head(metric), kind="number") for metric in section.metrics]
    columns = [aligned([row.values[index] for row in section.rows]) for index in range(len(section.metrics))]
    rows = [
        [_name(row), *(_cell(row, index, columns[index][place], best) for index in range(len(best)))]
        for place, row in enumerate(section.rows)
    ]
    sentence = paragraph(section.sentence) if section.sentence else ""
    note = paragraph("In bold: the best value of a column. ↓ lower is better, ↑ higher is better.", kind="small")
    return join(sentence, table([Heading(text="Model"), *heads], rows, rest="models"), note)


def _head(metric: ShownMetric) -> str:
    arrow = "↓" if metric.better == "lower" else "↑"
    return f"{metric.name} {arrow}" + (f" ({metric.unit})" if metric.unit else "")


def _best(section: BaselinesSection, index: int) -> float | None:
    values = [row.values[index] for row in section.rows]
    known = [float(value) for value in values if value is not None and np.isfinite(value)]
    if not known:
        return None
    return min(known) if section.metrics[index].better == "lower" else max(known)


def _name(row: BaselineRow) -> Content:
    return tag("strong", row.name) if row.model == "ours" else row.name


def _cell(row: BaselineRow, index: int, written: str, best: list[float | None]) -> Content:
    value = row.values[index]
    return tag("strong", written) if value is not None and value == best[index] else written
