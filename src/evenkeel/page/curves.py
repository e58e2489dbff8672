"""The section on the training: loss, validation metric and learning rate against updates, the kept update marked."""

import numpy as np

from evenkeel.page.html import Markup, counted, figure, join, paragraph, plots
from evenkeel.page.sections import Curve, CurvesSection
from evenkeel.svg import Marker, NumbersLike, ScaleKind, Series, colour, drawable, line_chart, number, numbers

LOG_RATIO = 20.0  # a loss that falls by more than this is drawn on a logarithmic axis
MOST_CLEAR = 150  # values; a longer training curve is noise to read the others against
MINUTE, HOUR = 60, 3600  # seconds


def curves_section(curves: CurvesSection) -> Markup:
    """One sentence on how it went, then the curves."""
    drawn = [_loss(curves)]
    if curves.metric is not None:
        drawn.append(figure(_single(curves.metric, curves, f"{_capital(curves.metric.name)}, validation rows", 1)))
    if curves.learning_rate is not None:
        drawn.append(figure(_single(curves.learning_rate, curves, "Learning rate", 2)))
    return join(paragraph(_sentence(curves)), plots(*drawn))


def _sentence(curves: CurvesSection) -> str:
    updates = numbers(curves.training.updates)
    seen = updates[np.isfinite(updates)]
    last = int(seen.max()) if seen.size else 0
    took = "" if curves.seconds is None else f" in {duration(float(curves.seconds))}"
    sentence = f"{counted(last, 'update')}{took}."
    if curves.best_update is None:
        return sentence
    return f"{sentence} The weights of update {number(curves.best_update)} were kept: the best on the validation rows."


def duration(seconds: float) -> str:
    """A time as people say it: `0.8 s`, `42 s`, `3 min 5 s`, `2 h 10 min`."""
    if not np.isfinite(seconds):
        return number(seconds)
    if seconds < MINUTE:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    whole = round(seconds)
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{number(whole // HOUR)} h {whole % HOUR // MINUTE} min"


def _loss(curves: CurvesSection) -> Markup:
    training = curves.training
    stroke = "faint" if len(training.values) > MOST_CLEAR else "solid"
    series = [Series(name=_named(training), x=training.updates, y=training.values, stroke=stroke)]
    if curves.validation is not None:
        series.append(Series(name=_named(curves.validation), x=curves.validation.updates, y=curves.validation.values))
    kind = _kind([one.y for one in series])
    chart = line_chart(
        series,
        title="Loss",
        x_label="update",
        y_label=curves.loss + (", logarithmic axis" if kind == "log" else ""),
        y_kind=kind,
        markers=_best(curves),
    )
    return figure(chart)


def _named(curve: Curve) -> str:
    return curve.name or "loss"


def _kind(groups: list[NumbersLike]) -> ScaleKind:
    pooled = np.concatenate([numbers(group)[drawable(group)] for group in groups])
    if pooled.size == 0 or pooled.min() <= 0:
        return "linear"
    return "log" if pooled.max() > LOG_RATIO * pooled.min() else "linear"


def _best(curves: CurvesSection) -> list[Marker]:
    return [] if curves.best_update is None else [Marker(x=curves.best_update, label="kept")]


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _single(curve: Curve, curves: CurvesSection, title: str, index: int) -> str:
    series = [Series(name="", x=curve.updates, y=curve.values, colour=colour(index))]
    return line_chart(series, title=title, x_label="update", markers=_best(curves))
