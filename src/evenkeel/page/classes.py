"""Predicted classes against true ones: what is taken for what, how each class fares, what the confidence is worth."""

import numpy as np

from evenkeel.page.comparisons import ClassesSection, Reliability
from evenkeel.page.html import Heading, Markup, counted, figure, join, paragraph, plots, table, tag
from evenkeel.svg import calibration_chart, matrix_chart, number, percent

MOST_NAMED = 12  # classes up to which the table keeps their order; more are sorted, the worst recall first
MOST_CONFUSIONS = 10  # pairs listed below a matrix too large to be written in


def classes_section(section: ClassesSection) -> Markup:
    """Confusion matrix, reliability, and a row per class."""
    title = "What was taken for what"
    drawn = [figure(matrix_chart(section.confusion, section.names, title=title), "Right in blue, wrong in amber.")]
    if section.reliability is not None:
        drawn.append(reliability_figure(section.reliability, "confidence", "share that is right"))
    return join(paragraph(_sentence(section)), plots(*drawn), _confusions(section), _scores(section))


def reliability_figure(reliability: Reliability, x_label: str, y_label: str) -> Markup:
    """Draw how often what was predicted at some confidence came true."""
    chart = calibration_chart(
        reliability.confidence,
        reliability.accuracy,
        count=reliability.count,
        title="What the confidence is worth",
        x_label=x_label,
        y_label=y_label,
    )
    return figure(chart, "On the line the confidence is honest; below it, too high. Larger points stand for more rows.")


def _sentence(section: ClassesSection) -> str:
    total, right = int(section.confusion.sum()), int(np.trace(section.confusion))
    verb = "is" if right == 1 else "are"
    sentence = f"{number(right)} of {counted(total, 'test row')} {verb} right ({percent(right / max(total, 1), 1)})."
    worst = _pairs(section)[:1]
    for row, column in worst:
        times = counted(int(section.confusion[row, column]), "time")
        sentence += f" Most often “{section.names[row]}” is taken for “{section.names[column]}” ({times})."
    return sentence


def _pairs(section: ClassesSection) -> list[tuple[int, int]]:
    """True and predicted class of every kind of mistake, the most frequent first."""
    wrong = section.confusion - np.diag(np.diag(section.confusion))
    pairs = [(int(row), int(column)) for row, column in np.argwhere(wrong > 0)]
    return sorted(pairs, key=lambda pair: -int(wrong[pair]))


def _confusions(section: ClassesSection) -> Markup:
    pairs = _pairs(section)[:MOST_CONFUSIONS]
    if len(section.names) <= MOST_NAMED or not pairs:
        return Markup("")
    headings = [Heading(text="True class"), Heading(text="Taken for"), Heading(text="Rows", kind="number")]
    rows = [[section.names[r], section.names[c], number(int(section.confusion[r, c]))] for r, c in pairs]
    return join(tag("h3", "Most frequent mistakes"), table(headings, rows))


def _scores(section: ClassesSection) -> Markup:
    right = np.diag(section.confusion).astype(float)
    support, predicted = section.confusion.sum(axis=1), section.confusion.sum(axis=0)
    recall, precision = _share(right, support), _share(right, predicted)
    order = range(len(section.names))
    if len(section.names) > MOST_NAMED:
        order = sorted(order, key=lambda index: np.nan_to_num(recall[index], nan=2.0))
    heads = [Heading(text=text, kind="number") for text in ("Precision", "Recall", "F1", "Test rows")]
    scores = _share(2 * precision * recall, precision + recall)
    rows = [
        [section.names[i], *(percent(score[i], 1) for score in (precision, recall, scores)), number(int(support[i]))]
        for i in order
    ]
    return join(tag("h3", "Class by class"), table([Heading(text="Class"), *heads], rows, rest="classes"))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """A ratio that is NaN, without a warning, where there is nothing to divide by."""
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)
