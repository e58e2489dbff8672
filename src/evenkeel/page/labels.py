"""Several labels a row: how well each one is recognised, and what the probabilities are worth."""

from evenkeel.page.classes import reliability_figure
from evenkeel.page.comparisons import LabelsSection
from evenkeel.page.html import Heading, Markup, counted, figure, join, paragraph, plots, table, tag
from evenkeel.svg import bar_chart, number, percent

MOST_BARS = 20


def labels_section(section: LabelsSection) -> Markup:
    """F1 of every label, reliability over all of them, and the table of scores."""
    drawn = [figure(_bars(section), "F1 is the harmonic mean of precision and recall.")]
    if section.reliability is not None:
        drawn.append(reliability_figure(section.reliability, "probability stated", "share of rows with the label"))
    heads = [Heading(text=text, kind="number") for text in ("Base rate", "Precision", "Recall", "F1", "AUC")]
    rows = [
        [
            one.name,
            *(percent(value, 1) for value in (one.base_rate, one.precision, one.recall, one.f1)),
            number(one.auc),
        ]
        for one in section.labels
    ]
    sentence = f"{counted(len(section.labels), 'label')}; a row may have any number of them."
    return join(
        paragraph(sentence),
        plots(*drawn),
        tag("h3", "Label by label"),
        table([Heading(text="Label"), *heads], rows, rest="labels"),
    )


def _bars(section: LabelsSection) -> str:
    ranked = sorted(section.labels, key=lambda one: -1.0 if one.f1 is None else -one.f1)
    shown = ranked if len(ranked) <= MOST_BARS else ranked[: MOST_BARS // 2] + ranked[-MOST_BARS // 2 :]
    title = "F1 of every label" if len(shown) == len(ranked) else f"F1 of the {MOST_BARS // 2} best and worst labels"
    return bar_chart(
        [one.name for one in shown],
        [one.f1 for one in shown],
        title=title,
        written=[percent(one.f1) for one in shown],
    )
