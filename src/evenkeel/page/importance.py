"""The section on importance: how much worse the network gets when one column is shuffled."""

import numpy as np

from evenkeel.page.html import Heading, Markup, aligned, beside, figure, fold, join, paragraph, table
from evenkeel.page.sections import ColumnImportance, ImportanceSection
from evenkeel.svg import NumberLike, bar_chart

MOST_BARS = 20


def importance_section(section: ImportanceSection) -> Markup:
    """Bars of the columns that matter most, and a folded table of all where there are more."""
    ranked = sorted(section.columns, key=lambda column: -_finite(column.drop))
    unit = f" ({section.unit})" if section.unit else ""
    shown = ranked[:MOST_BARS]
    chart = bar_chart(
        [column.name for column in shown],
        [column.drop for column in shown],
        spread=[column.spread for column in shown],
        title="" if len(shown) == len(ranked) else f"The {MOST_BARS} most important of {len(ranked)} columns",
        written=aligned([column.drop for column in shown]),
        label=f"how much worse {section.metric} gets{unit}",
    )
    repeats = "one shuffle" if section.repeats == 1 else f"{section.repeats} shuffles; the line shows their spread"
    caption = f"Each column is shuffled in the test rows, so that it says nothing any more: {repeats}. "
    caption += "Columns that say the same share their importance, or hide it."
    more = _all(ranked, section) if len(ranked) > MOST_BARS else ""
    return join(beside(figure(chart), paragraph(caption, kind="small")), more)


def _finite(drop: NumberLike) -> float:
    return float(drop) if np.isfinite(drop) else -np.inf


def _all(ranked: list[ColumnImportance], section: ImportanceSection) -> Markup:
    headings = [Heading(text="Column"), Heading(text=f"Worse {section.metric}", kind="number")]
    headings.append(Heading(text="Spread", kind="number"))
    drops, spreads = aligned([column.drop for column in ranked]), aligned([column.spread for column in ranked])
    rows = [[column.name, drop, spread] for column, drop, spread in zip(ranked, drops, spreads, strict=True)]
    return fold(f"all {len(ranked)} columns", table(headings, rows, rest="columns"))
