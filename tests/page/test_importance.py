import math

from evenkeel.page import ColumnImportance, ImportanceSection
from evenkeel.page.importance import MOST_BARS, importance_section


def test_columns_are_ranked_and_numbers_aligned(make, said):
    columns = [ColumnImportance(name=name, drop=drop) for name, drop in (("b", 0.5), ("c", math.nan), ("a", 12.25))]
    words = said(importance_section(ImportanceSection(metric="RMSE", columns=columns)))
    assert words.index("12.2") < words.index("0.5") < words.index("–")
    assert "one shuffle" in words


def test_many_columns_fold(make):
    drawn = importance_section(make["importance_section"](MOST_BARS + 30))
    assert drawn.count("<rect") == MOST_BARS
    assert "all 50 columns" in drawn and "column 49" in drawn
