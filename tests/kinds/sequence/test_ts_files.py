import numpy as np
import pytest

from evenkeel.errors import DataError
from evenkeel.kinds.sequence.ts_files import is_ts_path, read_ts

TWO = """# made up
@problemName Made
@timeStamps false
@missing true
@univariate false
@dimensions 2
@equalLength false
@classLabel true up down
@data
1.5,2.5,?:0,1,0:up

3:-1e-3:down
"""


def written(tmp_path, text, name="made.ts"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_reads_channels_unequal_lengths_gaps_and_classes(tmp_path):
    found = read_ts(written(tmp_path, TWO))
    np.testing.assert_array_equal(found.sequences[0], [[1.5, 0], [2.5, 1], [np.nan, 0]])
    np.testing.assert_array_equal(found.sequences[1], [[3, -1e-3]])
    assert found.answers == ("up", "down") and found.answer == "class"


def test_reads_numbers_as_answers_and_files_without(tmp_path):
    numbers = "@univariate true\n@equalLength true\n@seriesLength 2\n@targetlabel true\n@data\n1,2:0.5\n3,4:7\n"
    found = read_ts(written(tmp_path, numbers))
    assert found.answers == ("0.5", "7") and found.answer == "target"
    assert (
        read_ts(str(written(tmp_path, "@classLabel false\n@data\n1,2\n3,4:5,6\n".replace(":5,6", "")))).answer is None
    )


def test_a_path_is_known_by_its_ending(tmp_path):
    assert is_ts_path(tmp_path / "a.TS") and not is_ts_path("a.csv") and not is_ts_path(np.zeros(3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("@data\n", ""), "no line @data"),
        (("1.5,2.5,?:0,1,0:up\n\n3:-1e-3:down\n", ""), "holds no sequences"),
        (("@timeStamps false", "@timeStamps true"), "time stamps"),
        (("@dimensions 2", "@dimensions 3"), "line 10: 2 channels where 3"),
        (("@dimensions 2", "@dimensions many"), "@dimensions is 'many'; expected a whole number"),
        (("0,1,0:up", "0,1:up"), "line 10: 2 and 3 steps where as many in each channel"),
        (("1.5,2.5,?", "1.5,x,?"), "line 10: could not convert string to float: 'x'"),
        ((":down", ":sideways"), "line 12: class 'sideways' is none of those of the header, up, down"),
        (("@equalLength false", "@equalLength true\n@seriesLength 9"), "3 steps where 9, as the header says"),
    ],
)
def test_says_where_a_file_is_wrong(change, message, tmp_path):
    with pytest.raises(DataError, match=message.replace("?", r"\?")):
        read_ts(written(tmp_path, TWO.replace(*change)))


def test_says_that_there_is_no_file(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_ts(tmp_path / "none.ts")


@pytest.mark.parametrize(
    ("name", "train", "channels", "lengths"),
    [("JapaneseVowels", 270, 12, (7, 26)), ("GunPoint", 50, 1, (150, 150)), ("ItalyPowerDemand", 67, 1, (24, 24))],
)
def test_reads_files_of_the_archive(name, train, channels, lengths, real_data):
    found = read_ts(real_data / f"ts-{name}" / f"{name}_TRAIN.ts")
    assert len(found.sequences) == len(found.answers) == train
    assert {each.shape[1] for each in found.sequences} == {channels}
    ends = [len(each) for each in found.sequences]
    assert (min(ends), max(ends)) == lengths


@pytest.mark.parametrize(("name", "published"), [("ItalyPowerDemand", 0.9553), ("GunPoint", 0.9133)])
def test_the_nearest_neighbour_does_as_published(name, published, real_data):
    parts = [read_ts(real_data / f"ts-{name}" / f"{name}_{part}.ts") for part in ("TRAIN", "TEST")]
    known, asked = (np.stack(part.sequences)[:, :, 0] for part in parts)
    nearest = ((asked[:, None] - known[None]) ** 2).sum(2).argmin(1)
    right = np.array(parts[0].answers)[nearest] == np.array(parts[1].answers)
    assert right.mean() == pytest.approx(published, abs=1e-4)
