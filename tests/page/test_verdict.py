from evenkeel.page import Figure, Sentence
from evenkeel.page.verdict import toned, verdict


def test_tones_are_told_by_sign_and_colour():
    drawn = toned([Sentence(text="good", tone="good"), Sentence(text="a < b", tone="bad")])
    assert 'class="good"' in drawn and ">✓<" in drawn and 'class="bad"' in drawn and ">!<" in drawn
    assert "a &lt; b" in drawn
    assert toned([]) == ""


def test_figures_carry_their_unit_and_meaning(said):
    figures = [
        Figure(name="RMSE", value=58.29, unit="points", explanation="typical error"),
        Figure(name="accuracy", value=0.9444, form="percent"),
        Figure(name="NLL", value=float("nan")),
    ]
    words = said(verdict([], figures))
    assert "58.3" in words and "points" in words and "typical error" in words
    assert "94.4" in words and "NLL–" in words


def test_a_long_unit_is_written_below_the_number():
    drawn = verdict([], [Figure(name="MAE", value=48.0, unit="thousands of dollars", explanation="mean error")])
    assert "thousands of dollars; mean error" in drawn and 'class="unit"' not in drawn
