import math

import pytest

from evenkeel.page.html import (
    FIRST_ROWS,
    MOST_ROWS,
    Heading,
    Markup,
    aligned,
    beside,
    counted,
    facts,
    figure,
    fold,
    join,
    paragraph,
    plots,
    section,
    table,
    tag,
)


def test_words_are_escaped_and_markup_is_not():
    assert tag("p", "a < b", Markup("<b>c</b>"), class_="x", data_name='"') == (
        '<p class="x" data-name="&quot;">a &lt; b<b>c</b></p>'
    )
    assert join("<", Markup("<")) == "&lt;<" and isinstance(join("<"), Markup)


def test_only_void_elements_close_themselves():
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8"/>'
    assert tag("div") == "<div></div>"


def test_bricks_nest():
    assert section("data", "A & B", paragraph("x")) == '<section id="data"><h2>A &amp; B</h2><p>x</p></section>'
    assert figure("<svg></svg>", "see <it>") == "<figure><svg></svg><figcaption>see &lt;it&gt;</figcaption></figure>"
    assert 'class="wide"' in figure("<svg></svg>", width="wide")
    assert beside("a", "b") == '<div class="beside">ab</div>' and plots() == '<div class="plots"></div>'
    assert fold("3 more", "x") == "<details><summary>3 more</summary>x</details>"


def test_facts_without_content_are_left_out():
    assert facts([("Unit", ""), ("Rows", "12")]) == "<dl><dt>Rows</dt><dd>12</dd></dl>"


def test_a_table_sets_numbers_apart_and_drops_empty_columns():
    headings = [Heading(text="Name"), Heading(text="Note"), Heading(text="Rows", kind="number")]
    drawn = table(headings, [["a<", "", "1"], ["b", "", "2"]])
    assert "Note" not in drawn and "a&lt;" in drawn
    assert drawn.count('<td class="number">') == 2


@pytest.mark.parametrize(("rows", "folded"), [(0, 0), (MOST_ROWS, 0), (MOST_ROWS + 1, MOST_ROWS + 1 - FIRST_ROWS)])
def test_a_long_table_folds_and_loses_nothing(rows, folded):
    drawn = table([Heading(text="Name")], [[f"row {index}"] for index in range(rows)], rest="columns")
    assert drawn.count("<td>row ") == rows
    assert drawn.count("<details>") == (1 if folded else 0)
    assert not folded or f"{folded} more columns" in drawn


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ([11.66, 7.9, -0.413, None], ["11.66", "7.90", "−0.41", "–"]),
        ([0.334, 0.393, -4e-7], ["0.334", "0.393", "0.000"]),
        ([48211.7, 1234.0], ["48,212", "1,234"]),
        ([math.nan, math.inf, 2.0], ["–", "∞", "2.00"]),
        ([1e-9, 2e-9], ["1.00×10⁻⁹", "2.00×10⁻⁹"]),
        ([0.0, 0.0], ["0.00", "0.00"]),
        ([], []),
    ],
)
def test_numbers_of_a_column_are_aligned(values, written):
    assert aligned(values) == written


def test_a_noun_follows_its_number():
    assert [counted(count, "row") for count in (0, 1, 1200)] == ["0 rows", "1 row", "1,200 rows"]
