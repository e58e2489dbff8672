import polars as pl
import pytest

from _texts import LINES
from evenkeel.data.dataset import SplitRequest
from evenkeel.errors import RequestError
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.text.continued import answers_of_stream, prepare_stream, read_whole
from evenkeel.kinds.text.options import TextOptions

OPTIONS = TextOptions(window=16)


def test_texts_of_a_list_or_a_table_stand_one_below_the_other(tmp_path):
    listed = read_whole(["one line", "another line"], None)
    assert listed.text == "one line\nanother line\n" and listed.source == "2 texts"
    table = pl.DataFrame({"verse": ["one line", "another line"], "number": [1, 2]})
    assert read_whole(table, "verse").text == listed.text
    path = tmp_path / "verses.txt"
    path.write_text("one line\n")
    assert read_whole(path, None) == ("one line\n", str(path), ())
    assert read_whole("a text of words", None).source == "a text of 15 characters"


def test_a_stream_and_another_text_are_cut_alike():
    found = prepare_stream(LINES, DataRequest(options=OPTIONS))
    schema = found.dataset.schema
    assert schema.window == 16 and found.choice.task == "generation" and found.dataset.target_schema.kind == "tokens"
    again = answers_of_stream(schema, LINES)
    assert again.inputs["tokens"].length == again.target.length == 16


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"weight": [1.0]}, "split by position and has no weights"),
        ({"split": SplitRequest(how="group:x")}, "split by position and has no weights"),
        ({"split": SplitRequest(validation=0.5, test=0.5)}, r"validation \+ test must be in \[0, 1\), got 0.5 \+ 0.5"),
    ],
)
def test_shares_and_weights_that_make_no_sense_are_refused(request_, message):
    with pytest.raises(RequestError, match=message):
        prepare_stream(LINES, DataRequest(options=OPTIONS, **request_))


def test_pairs_cannot_be_continued():
    with pytest.raises(RequestError, match="only one text can be continued, not pairs"):
        read_whole([("a b", "c d"), ("e f", "g h")], None)
