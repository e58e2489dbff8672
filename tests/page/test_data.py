from evenkeel.page import Count, ShownColumn
from evenkeel.page.data import MOST_CLASSES, data_section


def test_rows_reason_and_roles_are_told(make, said):
    words = said(data_section(make["data_section"]()))
    assert "40: 30 train, 10 test" in words
    assert "regression: the target is a number" in words
    assert "progression (points)" in words
    assert "left out every value is different" in words
    assert "3 (7.5\u202f%)".replace("\u202f", " ") in words
    assert "A column was left out." in words


def test_a_number_is_drawn_as_a_histogram_and_classes_as_bars(make, said):
    classes = [Count(name="benign", count=30), Count(name="malignant", count=10)]
    bars = data_section(make["data_section"](target_values=None, target_counts=classes))
    assert data_section(make["data_section"]()).count("<svg") == 1
    assert "malignant" in bars and "10 (25" in said(bars)
    assert "<svg" not in data_section(make["data_section"](target_values=None))
    assert "<svg" not in data_section(make["data_section"](target_values=[]))


def test_many_classes_fold(make):
    classes = [Count(name=f"class {index}", count=index) for index in range(MOST_CLASSES + 8)]
    drawn = data_section(make["data_section"](target_counts=classes))
    assert "all 20" in drawn and "the 12 most common of 20" in drawn


def test_a_hundred_columns_fold(make):
    columns = [ShownColumn(name=f"x{index}", kind="number") for index in range(100)]
    drawn = data_section(make["data_section"](columns=columns))
    assert "90 more columns" in drawn and "x99" in drawn


def test_missing_values_without_known_rows_are_only_counted(make, said):
    columns = [ShownColumn(name="x", kind="number", missing=7)]
    assert "x number 7" in " ".join(
        said(data_section(make["data_section"](parts=[], columns=columns)).replace("</td>", " </td>")).split()
    )
