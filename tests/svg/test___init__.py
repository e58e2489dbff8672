"""Laws of every chart in the folder: sound on good data, hostile data, no data; escaped; fitting their width."""

import math
import pkgutil

import numpy as np
import pytest

from evenkeel import svg

PIECES = {"text", "ticks", "scale", "marks", "axes"}
CHARTS = sorted(found.name for found in pkgutil.iter_modules(svg.__path__) if found.name not in PIECES)
NAN, INF = math.nan, math.inf
HOSTILE = {
    "nothing": [],
    "one": [3.0],
    "constant": [2.5, 2.5, 2.5],
    "zeros": [0.0, 0.0],
    "all nan": [NAN, NAN],
    "gaps": [NAN, 1.0, INF, -INF, 2.0, NAN, 5.0],
    "negative": [-3.0, -1.0, -2.0],
    "huge": [1e308, -1e308, 1.0],
    "tiny": [1e-320, 2e-320, 0.0],
    "nearly constant": [1e9, 1e9 + 1e-7, 1e9],
    "whole": np.array([1, 2, 3]),
    "single precision": np.array([0.1, 0.2, NAN], dtype=np.float32),
    "missing": [1.0, None, 2.0],
}


def draw(chart, values, title="title", name="name"):
    """The chart of a folder's file, drawn from one list of values in every place where it takes values."""
    steps = list(range(len(values)))
    labels = {"title": title, "x_label": name, "y_label": name}
    if chart == "line":
        lines = [svg.Series(name=name, x=steps, y=values), svg.Series(name=name, x=values, y=values, stroke="dashed")]
        band = svg.Band(name=name, x=steps, low=values, high=values)
        markers = [svg.Marker(x=steps[-1] if steps else NAN, label=name)]
        linear = svg.line_chart(lines, **labels, band=band, markers=markers)
        return [linear, svg.line_chart(lines, **labels, band=band, markers=markers, y_kind="log")]
    if chart == "scatter":
        return [svg.scatter_chart(values, values, **labels, reference=kind) for kind in ("none", "zero", "diagonal")]
    if chart == "bar":
        names = [f"{name} {step}" for step in steps]
        return [svg.bar_chart(names, values, title=title, label=name, spread=spread) for spread in (None, values)]
    if chart == "histogram":
        limited = svg.histogram_chart(values, **labels, bins=10, limits=(0.0, 1.0), expected=1.5, expected_label=name)
        return [svg.histogram_chart(values, **labels), limited]
    if chart == "matrix":
        square = np.outer(svg.numbers(values), np.ones(len(values)))
        names = [f"{name} {step}" for step in steps]
        return [svg.matrix_chart(square, names, title=title, row_label=name, column_label=name)]
    if chart == "calibration":
        return [svg.calibration_chart(values, values, **labels, count=count) for count in (None, values)]
    if chart == "interval":
        return [svg.interval_chart(values, values, values, **labels, truth=truth) for truth in (None, values)]
    raise AssertionError(f"no example of the chart {chart}: add one here")


@pytest.mark.parametrize("data", HOSTILE)
@pytest.mark.parametrize("chart", CHARTS)
def test_every_chart_is_sound_on_hostile_data(chart, data, sound):
    for drawing in draw(chart, HOSTILE[data]):
        sound(drawing)


@pytest.mark.parametrize("chart", CHARTS)
def test_every_chart_escapes_every_text(chart, sound, texts):
    nasty = "<script>alert('x')</script>&\"\x00\x1b"
    for drawing in draw(chart, [0.25, 0.75, 0.5], title=nasty, name=nasty):
        root = sound(drawing)
        assert "<script" not in drawing
        assert any(text.startswith("<script>") for text in texts(root))


@pytest.mark.parametrize("chart", CHARTS)
def test_every_chart_stays_within_its_own_edges(chart, sound):
    for drawing in draw(chart, [0.1, 0.9, 0.4, 0.6], name="a name that is so long that no gutter could ever hold it"):
        root = sound(drawing)
        width, height = (float(root.get(side)) for side in ("width", "height"))
        assert root.get("viewBox") == f"0 0 {width:g} {height:g}"
        for node in root.iter():
            for name, most in (("x", width), ("x1", width), ("x2", width), ("y", height), ("y1", height)):
                assert -1 <= float(node.get(name, 0)) <= most + 1, (node.tag, node.attrib)


@pytest.mark.parametrize("chart", CHARTS)
def test_colours_are_theme_variables_with_fallbacks(chart, sound):
    for drawing in draw(chart, [0.1, 0.9, 0.4]):
        paints = {node.get(key) for node in sound(drawing).iter() for key in ("fill", "stroke")} - {None, "none"}
        assert paints and all(paint.startswith("var(--ek-") and "," in paint for paint in paints)


def test_every_listed_name_is_there():
    assert all(hasattr(svg, name) for name in svg.__all__)
