"""What people give for texts, and what they are told; which prediction belongs to which file."""

import numpy as np
import polars as pl
import pytest

import evenkeel as ek
from _texts import LINES, films
from evenkeel.errors import DataError

QUICK = {"updates": 3, "width": 8, "members": 2, "vocabulary": 300}
STREAM = {"updates": 3, "width": 32, "depth": 1, "window": 16}


def fit(data, **options):
    return ek.fit(data, **{"test": 0, "progress": False, "settings": QUICK, **options})


@pytest.fixture(scope="module")
def run():
    return fit(films())


@pytest.fixture(scope="module")
def story():
    return fit(LINES, kind="text", settings=STREAM)


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ([], "expected at least one text, got an empty list"),
        ([1, 2], "expected texts, got numbers"),
        (5, "expected texts: a list, a table or a path"),
        ("a fine film", "a single text goes into a list"),
        ("", "a single text goes into a list"),
    ],
)
def test_says_what_new_texts_must_be(run, new, message):
    with pytest.raises(DataError, match=message):
        run.predict(new)


def test_an_array_of_objects_holds_texts(run):
    texts, answers = films()
    objects = np.array(texts, dtype=object)
    assert objects.dtype == object
    again = fit((objects, answers))
    assert again.kind.name == "text"
    np.testing.assert_array_equal(again.predict_proba(objects), run.predict_proba(texts))


def test_a_column_of_nothing_is_refused():
    table = pl.DataFrame({"review": ["", " "] * 20, "mood": ["good", "bad"] * 20})
    with pytest.raises(DataError, match="column 'review' holds no text: all 40 rows are empty"):
        fit(table, target="mood", kind="text")


def test_a_column_beside_the_text_is_left_out_once():
    texts, answers = films()
    made = fit(pl.DataFrame({"review": texts, "stars": range(80), "mood": answers}), target="mood", kind="text")
    assert "left out: not a column" not in made.report_text() and "not a column of text" in made.report_text()


def test_a_bare_text_is_continued_and_scored(story, tmp_path):
    line, path = LINES[:60].replace("\n", " "), tmp_path / "line.txt"
    path.write_text(line)
    assert story.evaluate(line) == story.evaluate(path) and story.evaluate(line)["perplexity"] > 1
    with pytest.raises(DataError, match="expected a text of more than 16 tokens"):
        story.evaluate("too short")
    with pytest.raises(DataError, match=r"no such file.*storyz\.txt"):
        story.evaluate("storyz.txt")
    bare = " ".join(["the cat sat on the mat"] * 40)
    for text, options in ((bare, {"task": "generation"}), (bare[:200], {})):
        assert len(fit(text, kind="text", settings=STREAM, **options).generate("the", length=3)) == 3


def test_a_list_of_texts_is_one_text_with_a_line_for_each(story):
    made = fit(LINES.splitlines(), task="generation", settings=STREAM)
    assert made.record.source == "105 texts"
    assert made.metrics == fit(LINES, kind="text", settings=STREAM).metrics
    assert made.generate("the", length=20) == story.generate("the", length=20)


def test_files_of_a_folder_are_the_keys_of_their_predictions(run, story, tmp_path):
    for number, (text, answer) in enumerate(zip(*films(6), strict=True)):
        (tmp_path / answer).mkdir(exist_ok=True)
        (tmp_path / answer / f"{number}.txt").write_text(text)
    found = run.kind.encode(run.record.schema_, tmp_path).keys
    assert list(found) == ["file"] and len(found["file"]) == 6
    texts = [(tmp_path / name).read_text() for name in found["file"]]
    np.testing.assert_allclose(run.predict_proba(tmp_path), run.predict_proba(texts), atol=1e-6)
    assert run.kind.encode(run.record.schema_, texts).keys == {}
