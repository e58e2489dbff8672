import gzip

import numpy as np
import pandas as pd
import polars as pl
import pytest

from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.text.folders import has_classes
from evenkeel.kinds.text.read import (
    decoded,
    is_folder,
    is_list_of_texts,
    leads_somewhere,
    looks_like_prose,
    read_text,
    read_texts,
    text_columns,
)

PROSE = "To be, or not to be,\nthat is the question:\nWhether 'tis nobler in the mind, sir, to suffer, yes,\n" * 3


def write(path, text, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


@pytest.fixture
def classes(tmp_path):
    """Two folders of three films each."""
    for name, word in (("good", "fine"), ("bad", "awful")):
        for number in range(3):
            write(tmp_path / "films" / name / f"{number}.txt", f"{word} film {number}")
    return tmp_path / "films"


# Files


def test_utf8_with_and_without_a_mark_and_gzipped(tmp_path):
    assert read_text(write(tmp_path / "a.txt", "née\r\n東京", "utf-8-sig")) == ("née\n東京", "")
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress("née".encode()))
    assert read_text(path).text == "née" and looks_like_prose(path)


def test_other_encodings_are_read_with_a_note(tmp_path):
    found = read_text(write(tmp_path / "a.txt", "naïve “café”", "cp1252"))
    assert found.text == "naïve “café”" and "not UTF-8; it was read as Windows-1252" in found.note


def test_what_is_no_text_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"a.txt holds no text \(byte 0 in it\)"):
        read_text(write(tmp_path / "a.txt", "\x00\x01"))
    with pytest.raises(DataError, match=r"no such file: .*b.txt"):
        read_text(tmp_path / "b.txt")
    damaged = write(tmp_path / "c.txt.gz", "not gzipped")
    assert looks_like_prose(damaged)
    with pytest.raises(DataError, match=r"c.txt.gz could not be read"):
        read_text(damaged)
    assert decoded(b"\x1b[1m fine", "log").text == "\x1b[1m fine"


@pytest.mark.parametrize(
    ("text", "prose"),
    [
        (PROSE, True),
        ("one long line, with commas, and no end, " * 4000, True),
        ("To be, or not to be", True),
        ("", True),
        ("price,rooms\n100,2\n200,3\n", False),
        ("price;rooms\n100;2\n", False),
        ("a\tb\tc\n1\t2\t3\n", False),
        ("1.0  2.5 7\n3.0 2.5  8\n", False),
    ],
)
def test_prose_is_told_from_rows_of_fields(text, prose, tmp_path):
    assert looks_like_prose(write(tmp_path / "a.txt", text)) is prose
    assert not looks_like_prose(write(tmp_path / "a.csv", text))


# Folders


def test_a_folder_of_folders_has_a_class_for_each(classes):
    assert has_classes(classes) and not has_classes(classes / "good") and not has_classes(classes / "none")
    frame = read_texts(classes, text=None).frame
    assert frame["target"].to_list() == ["bad"] * 3 + ["good"] * 3
    assert frame["text"][0] == "awful film 0"
    assert read_texts(str(classes), text=None, target=("mood",)).frame.columns == ["text", "mood"]
    flat = read_texts(classes / "good", text=None)
    assert flat.frame.columns == ["text"] and flat.frame.height == 3


def test_files_beside_the_classes_are_left_out_with_a_note(classes):
    write(classes / "README.txt", "about these films")
    write(classes / "bad" / "old.txt", "scène", "latin-1")
    source = read_texts(classes, text=None)
    assert source.frame.height == 7
    assert source.notes == (
        "1 .txt file beside the folders of classes is left out.",
        "1 of 7 files is not UTF-8; it was read as Windows-1252.",
    )


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"holds no \.txt files; expected a folder of folders of them, one a class"):
        read_texts(tmp_path, text=None)


# Lists


@pytest.mark.parametrize(
    "values", [["a", "b"], ("a", None), np.array(["a", "b"]), pl.Series(["a"]), pd.Series(["a"], index=[7])]
)
def test_lists_arrays_and_series_of_texts_are_texts(values):
    assert is_list_of_texts(values)
    assert read_texts((values, list(range(len(values)))), text=None).frame["text"][0] == "a"


@pytest.mark.parametrize(
    "values",
    ["text", b"text", [], [1, 2], None, np.zeros(3), np.array([["a", "b"]]), pl.DataFrame({"a": ["b"]}), {"a": 1}],
)
def test_other_things_are_not(values):
    assert not is_list_of_texts(values)


def test_answers_stand_beside_their_texts():
    assert read_texts((["a", None], [1, 0]), text=None).frame.rows() == [("a", 1), (None, 0)]
    both = read_texts(([("a", "b"), ("c", "d")], [0.5, 1.5]), text=None, target=("score",))
    assert (
        is_list_of_texts([("a", "b")])
        and both.columns == ("text", "other")
        and both.frame.rows() == [("a", "b", 0.5), ("c", "d", 1.5)]
    )
    with pytest.raises(DataError, match="X has 2 rows and y has 3"):
        read_texts((["a", "b"], [1, 2, 3]), text=None)


def test_what_is_no_text_in_a_list_is_named():
    with pytest.raises(DataError, match=r"expected a text in every place, got 3 at 1; try str\(...\)"):
        read_texts(["a", 3], text=None)
    with pytest.raises(DataError, match="expected a pair of texts in every place, got 'c' at 1"):
        read_texts([("a", "b"), "c"], text=None)
    with pytest.raises(DataError, match=r"got 'a wonderful film'; a single text goes into a list: \[text\]"):
        read_texts("a wonderful film", text=None)
    with pytest.raises(DataError, match=r"no such file: filmz\.csv"):
        read_texts("filmz.csv", text=None)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "expected at least one text, got an empty list"),
        ((), "expected at least one text, got an empty list"),
        (([], []), "expected at least one text, got an empty list"),
        ([None], "expected at least one text, got None alone"),
        ([1, None, 2], r"expected texts, got numbers, the first of them 1; try str\(...\)"),
        (np.array([1.5]), "expected texts, got numbers, the first of them 1.5"),
        (pd.Series([2.0]), "expected texts, got numbers"),
        (None, "expected texts: a list, a table or a path; got NoneType"),
        (5, "expected texts: a list, a table or a path; got int"),
        ("", r"expected a path or a list of texts, got ''; a single text goes into a list"),
        (pl.DataFrame({"text": []}, schema={"text": pl.String}), "at least one text, got a table without rows"),
    ],
)
def test_what_holds_no_text_is_refused_in_words_of_texts(given, message):
    with pytest.raises(DataError, match=message):
        read_texts(given, text=None)


def test_words_are_told_from_paths(tmp_path):
    for path in ("filmz.csv", "my story.txt", "sample:wine", str(tmp_path)):
        assert leads_somewhere(path)
    for text in ("", "a wonderful film", "one\ntwo.csv", "It ended. Well."):
        assert not leads_somewhere(text)
    assert is_folder(tmp_path) and not is_folder("") and not is_folder(["a"]) and not is_folder(tmp_path / "none")


# Tables


def table() -> pl.DataFrame:
    reviews = [f"a film of {number} minutes that I have seen with joy" for number in range(30)]
    return pl.DataFrame({"id": [f"k{i}" for i in range(30)], "review": reviews, "stars": list(range(30))})


def test_the_column_of_prose_is_found_or_named():
    assert text_columns(table(), None) == ("review",)
    assert text_columns(table(), "id") == ("id",)
    assert text_columns(table(), "review, id") == text_columns(table(), ("review", "id")) == ("review", "id")
    assert text_columns(pl.DataFrame({"word": ["yes", "no"], "y": ["a", "b"]}), None, ("y",)) == ("word",)
    assert text_columns(pl.DataFrame({"a,b": ["yes", "no"]}), "a,b") == ("a,b",)


@pytest.mark.parametrize(
    ("frame", "asked", "error", "message"),
    [
        (table(), "revew", RequestError, "there is no column 'revew' of text; did you mean 'review'"),
        (table(), "review,review", RequestError, "text names one column, or two different ones for pairs, got"),
        (table(), "id,review,stars", RequestError, "text names one column, or two different ones"),
        (table().with_columns(more=pl.col("review")), None, RequestError, "which column is the text.*'text': 'review'"),
        (pl.DataFrame({"a": [1.0], "b": [2]}), None, DataError, "no column holds text; there are: a, b"),
    ],
)
def test_says_which_columns_there_are(frame, asked, error, message):
    with pytest.raises(error, match=message):
        text_columns(frame, asked)


def test_a_path_to_a_table_or_to_a_text_of_lines(tmp_path):
    table().write_csv(tmp_path / "reviews.csv")
    assert read_texts(tmp_path / "reviews.csv", text=None).columns == ("review",)
    lines = read_texts(write(tmp_path / "new.txt", PROSE + "\n\n"), text=None)
    assert lines.frame["text"].to_list() == PROSE.splitlines()
