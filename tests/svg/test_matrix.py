import numpy as np
import pytest

from evenkeel.errors import DataError
from evenkeel.svg.marks import colour
from evenkeel.svg.matrix import matrix_chart

SVG = "{http://www.w3.org/2000/svg}"


def cells(root):
    return {node[0].text: node for node in root.iter(f"{SVG}rect") if len(node)}


def test_cells_say_what_they_are_and_zeros_are_blank(sound, texts):
    root = sound(matrix_chart(np.array([[8, 2], [0, 5]]), ["no", "yes"], title="t"))
    found = cells(root)
    assert list(found) == [
        "no → no: 8 (80.0\u202f% of its row)",
        "no → yes: 2 (20.0\u202f% of its row)",
        "yes → yes: 5 (100.0\u202f% of its row)",
    ]
    assert texts(root).count("8") == 1


def test_right_and_wrong_have_their_own_colours(sound):
    table, names = np.array([[8, 2], [0, 5]]), ["no", "yes"]
    emphasised = [node.get("fill") for node in cells(sound(matrix_chart(table, names, title="t"))).values()]
    plain = cells(sound(matrix_chart(table, names, title="t", emphasis="none"))).values()
    assert emphasised == [colour(0), colour(1), colour(0)]
    assert {node.get("fill") for node in plain} == {colour(0)}


@pytest.mark.parametrize("classes", [2, 5, 12, 30, 100])
def test_any_number_of_classes_stays_legible(classes, sound, texts):
    names = [f"class {index}" for index in range(classes)]
    root = sound(matrix_chart(np.eye(classes, dtype=int) * 7, names, title="t"))
    written = [text for text in texts(root) if text.startswith("class ")]
    rows = [float(node.get("y")) for node in root.iter(f"{SVG}text") if node.get("text-anchor") == "end"]
    assert len(cells(root)) == classes
    assert written.count("class 0") == 2
    assert len(rows) >= min(classes, 15) and min(np.diff(rows)) >= 11.5


def test_the_names_must_fit_the_matrix():
    with pytest.raises(DataError, match=r"a matrix of 2 names must have shape \(2, 2\), got \(2, 3\)"):
        matrix_chart(np.ones((2, 3)), ["a", "b"], title="t")
