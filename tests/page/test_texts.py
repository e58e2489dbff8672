import numpy as np

from evenkeel.page import Report, render
from evenkeel.page.texts import (
    MOST,
    ShownText,
    samples_section,
    text_of,
    texts_section,
)


def rows_of(*texts: str) -> np.ndarray:
    longest = max(len(text.encode()) for text in texts)
    return np.array([[*text.encode(), *[0] * (longest - len(text.encode()))] for text in texts], dtype=np.uint8)


def test_bytes_come_back_as_text_also_where_a_character_was_cut_off():
    assert text_of(rows_of("née", "a much longer text")[0]) == "née"
    assert text_of(np.frombuffer("née".encode()[:2], np.uint8)) == "n"


def test_the_surest_mistakes_come_first_and_the_surest_hits_last():
    shown = [
        ShownText(text="a", truth="bad", prediction="bad", miss=-0.9, right=True, confidence=0.9),
        ShownText(text="b", truth="bad", prediction="good", miss=0.6, right=False, confidence=0.6),
        ShownText(text="c", truth="bad", prediction="good", miss=0.8, right=False, confidence=0.8),
        ShownText(text="d", truth="good", prediction="good", miss=-0.55, right=True, confidence=0.55),
    ]
    lines = [line for line in texts_section(shown).text.splitlines() if "predicted" in line]
    assert lines == [
        "WRONG  predicted good (80\u202f%), true bad",
        "WRONG  predicted good (60\u202f%), true bad",
        "right  predicted good (55\u202f%), true good",
        "right  predicted bad (90\u202f%), true bad",
    ]


def test_numbers_are_ordered_by_the_size_of_the_error():
    shown = [
        ShownText(text="near", truth="1.50", prediction="1.00", miss=0.5),
        ShownText(text="far", truth="5.00", prediction="2.00", miss=3.0),
    ]
    assert texts_section(shown).text.startswith("predicted 2.00, true 5.00\n    far")


def test_long_texts_are_cut_and_few_are_shown():
    shown = [ShownText(text="word " * 500, truth="a", prediction="b", miss=index) for index in range(MOST + 5)]
    text = texts_section(shown).text
    assert text.count("predicted") == MOST
    assert max(map(len, text.splitlines())) <= 104
    assert text.count(" ...") == MOST


def test_an_empty_text_is_called_empty():
    assert "(empty)" in texts_section([ShownText(text="", truth="a", prediction="a")]).text


def test_samples_stand_on_the_page_as_they_are():
    section = samples_section(["O <b> Romeo\n  two", "second"])
    page = render(Report(title="plays", verdict=[], extra=[section]))
    assert "O &lt;b&gt; Romeo\n  two" in page and "second" in page
