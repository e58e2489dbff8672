"""Delimited text of every form gives the same table; what is no table is named, with its line."""

import gzip

import polars as pl
import pytest

from evenkeel.data.delimited import has_header, read_delimited
from evenkeel.errors import DataError

HEADER = ["size", "town", "price"]
ROWS = [["1.5", "Bonn", "10"], ["2.25", "Köln", "20"], ["0.5", "Trier", "35"]] * 4
EXPECTED = pl.DataFrame(
    {"size": [1.5, 2.25, 0.5] * 4, "town": ["Bonn", "Köln", "Trier"] * 4, "price": [10, 20, 35] * 4}
)


def text(separator=",", header=HEADER, rows=ROWS, end="\n"):
    lines = [*([header] if header else []), *rows]
    return end.join(separator.join(line) for line in lines) + end


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " ", "   "])
def test_separators(write, separator):
    assert read_delimited(write("a.csv", text(separator))).equals(EXPECTED)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(write, end):
    assert read_delimited(write("a.csv", text(end=end))).equals(EXPECTED)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1"])
def test_encodings(write, encoding):
    header = ["größe", "town", "price"]
    frame = read_delimited(write("a.csv", text(header=header), encoding))
    assert frame.equals(EXPECTED.rename({"size": "größe"}))


def test_a_foreign_letter_far_down_the_file(write):
    many = [["1.5", "Bonn", "10"]] * 20_000 + [["1.5", "Köln", "10"]]
    frame = read_delimited(write("a.csv", text(rows=many), "cp1252"))
    assert frame["town"][-1] == "Köln"
    assert frame["size"].dtype == pl.Float64


@pytest.mark.parametrize("name", ["a.csv.gz", "packed_without_saying_so.csv"])
def test_packed(write, name):
    assert read_delimited(write(name, gzip.compress(text().encode()))).equals(EXPECTED)


def test_named_as_packed_but_plain(write):
    assert read_delimited(write("a.csv.gz", text())).equals(EXPECTED)


@pytest.mark.parametrize(
    "content",
    ["\n\n" + text(), text() + "\n\n\n", text(end="\n\n"), "  \n" + text(), text().rstrip("\n")],
    ids=["at the top", "at the end", "between", "of blanks", "no last line end"],
)
def test_blank_lines_are_no_rows(write, content):
    assert read_delimited(write("a.csv", content)).equals(EXPECTED)


def test_a_row_of_empty_cells_is_a_row(write):
    frame = read_delimited(write("a.csv", text() + ",,\n"))
    assert frame.height == EXPECTED.height + 1
    assert frame.row(-1) == (None, None, None)


def test_quoted_cells_keep_separators_and_line_ends(write):
    rows = [["1.5", '"Bonn, at the\nRhine"', "10"], ["2.5", '"say ""yes"""', "20"]] * 6
    frame = read_delimited(write("a.csv", text(rows=rows)))
    assert frame["town"].to_list()[:2] == ["Bonn, at the\nRhine", 'say "yes"']


def test_a_quoted_header_with_commas(write):
    content = '"size, in metres, or so";price\n' + "1.5;10\n2.5;20\n"
    assert read_delimited(write("a.csv", content)).columns == ["size, in metres, or so", "price"]


def test_decimal_commas(write):
    frame = read_delimited(write("a.csv", "size;price\n1,5;10\n-2,25;20\n;7\n"))
    assert frame["size"].to_list() == [1.5, -2.25, None]
    assert frame["price"].to_list() == [10, 20, 7]


@pytest.mark.parametrize("cells", [["1,234", "5,678"], ["1,5", "2.5"]], ids=["thousands", "points too"])
def test_no_decimal_commas_where_it_is_in_doubt(write, cells):
    frame = read_delimited(write("a.csv", "size;price\n" + "".join(f"{cell};1\n" for cell in cells)))
    assert frame["size"].to_list() == cells


@pytest.mark.parametrize("slip", ["abc", "1.5", "?", ""])
def test_a_surprise_far_down_the_file(write, slip):
    content = "size,price\n" + "7,1\n" * 10_050 + f"{slip},3\n"
    frame = read_delimited(write("a.csv", content))
    assert frame.height == 10_051
    assert str(frame["size"][-1] or "") == slip


@pytest.mark.parametrize("separator", [",", "\t", " "])
def test_without_header_columns_are_numbered(write, separator):
    frame = read_delimited(write("a.csv", text(separator, header=None)))
    assert frame.columns == ["column_0", "column_1", "column_2"]
    assert frame.height == len(ROWS)


def test_names_are_trimmed_and_missing_ones_numbered(write):
    content = " size ,, price,\n" + "1.5,Bonn,10,\n" * 3
    assert read_delimited(write("a.csv", content)).columns == ["size", "column_1", "price", "column_3"]


@pytest.mark.parametrize(
    ("rows", "header"),
    [
        ([["a", "b"], ["1", "2"]], True),
        ([["a", "b"], ["x", "y"]], True),
        ([["1.5", "b"], ["2.5", "y"]], False),
        ([["1.5", "b"], ["x", "y"]], True),
        ([["town", "1990", "2000"], ["x", "3", "4"]], True),
        ([["0", "1", "2"], ["3.5", "4", "5"]], True),
        ([["", "0", "1", "2", "target"], ["0", "3.5", "4", "5", "7"]], True),
        ([["1", "2", "3"], ["3.5", "4", "5"]], True),
        ([["5", "6", "7"], ["3.5", "4", "5"]], False),
        ([["0", "1"], ["3.5", "4"]], False),
        ([["1", "b"]], True),
        ([["nan", "b"], ["2.5", "y"]], False),
    ],
)
def test_has_header(rows, header):
    assert has_header(rows) is header


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b" \n\n", "is empty; expected a table with a header line and rows"),
        (
            "size,price\n1,2\n3,4\n1,2,3\n",
            "line 4 has 3 fields, the first line has 2. Put values that contain ',' in double",
        ),
        ("# by hand\n" + text(), "line 2 has 3 fields, the first line has 1"),
        ('size,price\n1,2\n3,"4\n', "a quotation mark is opened and never closed"),
        ("size, price,size \n1,2,3\n", "the header names 'size' more than once; give every column a name of its own"),
        (text().encode("utf-16"), r"is not plain text \(UTF-16, or no text at all\); save it as CSV .* UTF-8"),
        (bytes(range(256)) * 20, "is not plain text"),
        (b"PK\x03\x04" + b"x" * 50, "is a zip archive or a spreadsheet; unpack it, or save the sheet as CSV"),
        (b"size,price\n" + b"\x81\x8d,2\n" * 5, "is neither UTF-8 nor Windows-1252 text .* encoding UTF-8"),
    ],
    ids=["blank", "ragged", "comment", "quote", "twice", "utf-16", "binary", "zip", "encoding"],
)
def test_what_is_no_table_is_named(write, content, message):
    with pytest.raises(DataError, match=message):
        read_delimited(write("a.csv", content))


def test_prose_is_no_table_of_blanks(write):
    frame = read_delimited(write("a.txt", "It was a night\nthe rain fell down\nand all was quiet\n"))
    assert frame.columns == ["It was a night"]


def test_a_long_first_line_is_read_whole(write):
    names = [f"column number {index} with a long name" for index in range(3000)]
    content = ",".join(names) + "\n" + ",".join(["1.5"] * 3000) + "\n"
    assert read_delimited(write("a.csv", content)).columns == names
