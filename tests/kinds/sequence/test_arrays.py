import numpy as np
import polars as pl
import pytest
import torch

from evenkeel.errors import DataError
from evenkeel.kinds.sequence.arrays import (
    is_padded_pair,
    is_sequence_array,
    read_array,
    read_ts_sequences,
    with_answers,
)

THREE = [np.arange(6.0).reshape(3, 2), np.ones((1, 2)), np.zeros((2, 2))]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (np.zeros((4, 5, 2)), True),
        (torch.zeros(4, 5, 2, dtype=torch.int16), True),
        (np.zeros((4, 28, 28), np.uint8), False),
        (torch.zeros(4, 28, 28, dtype=torch.uint8), False),
        (np.zeros((4, 3, 8, 8)), False),
        (np.zeros((4, 5)), False),
        (THREE, True),
        ([np.zeros(3), np.zeros(4)], True),
        ([np.zeros(3), np.zeros(3)], False),
        ([[1.0, 2.0], [3.0, 4.0]], False),
        ([], False),
        (["a", "b"], False),
        ((np.zeros((4, 5, 2)), np.ones(4, int)), True),
        ((np.zeros((4, 5, 2)), np.ones(3, int)), True),
        (pl.DataFrame({"a": [1]}), False),
    ],
)
def test_what_is_taken_for_sequences(data, told):
    assert is_sequence_array(data) is told


def test_a_padded_pair_is_numbers_and_their_lengths():
    assert is_padded_pair((torch.zeros(4, 5, 2), [1, 2, 3, 4])) is False
    assert is_padded_pair((torch.zeros(4, 5, 2), torch.ones(4))) is True


def test_three_forms_of_the_same_sequences():
    padded = np.full((3, 3, 2), np.nan)
    for row, piece in enumerate(THREE):
        padded[row, : len(piece)] = piece
    listed, pair = read_array(THREE), read_array((padded, np.array([3, 1, 2])))
    tensors = read_array([torch.from_numpy(piece) for piece in THREE])
    for found in (pair, tensors):
        torch.testing.assert_close(found.values, listed.values)
        assert found.starts.tolist() == listed.starts.tolist() == [0, 3, 4, 6]
    equal = read_array(np.stack([THREE[0], THREE[0] + 1]))
    assert equal.lengths.tolist() == [3, 3] and equal.values[3].tolist() == [1, 2]


def test_one_channel_needs_no_axis_and_whole_numbers_are_read():
    found = read_array([np.array([1, 2, 3]), np.array([4, 5])])
    assert found.values.flatten().tolist() == [1, 2, 3, 4, 5] and found.values.is_floating_point()
    assert read_array(np.zeros((2, 3, 1), np.uint8)).values.dtype == torch.float32
    assert read_array([np.array([1.0, None], dtype=object), np.zeros(3)]).values[1].isnan().all()


def test_read_only_memory_is_read():
    locked = np.zeros((3, 4, 2))
    locked.flags.writeable = False
    assert len(read_array(locked)) == 3


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.zeros((4, 5)), r"expected an array \(row, step, channel\).*got shape \(4, 5\)"),
        (np.zeros((4, 3, 8, 8)), r"got shape \(4, 3, 8, 8\)"),
        (np.zeros((0, 3, 8)), r"got shape \(0, 3, 8\)"),
        ([np.zeros((3, 2)), np.zeros((3, 1))], r"sequence 1 has shape \(3, 1\), the first one \(3, 2\)"),
        ([np.zeros((3, 2)), np.zeros((0, 2))], "sequence 1 .* at least one step"),
        ([np.array(["a", "b"]), np.array(["c"])], "sequences must hold numbers"),
        ((np.zeros((2, 3, 1)), np.array([1, 4])), "lengths must be whole numbers from 1 to the 3 steps.*got 1 to 4"),
        ((np.zeros((2, 3, 1)), np.array([0, 3])), "got 0 to 3; leave out sequences without any step"),
        (5, "got int"),
    ],
)
def test_refuses_what_is_no_sequence(data, message):
    with pytest.raises(DataError, match=message):
        read_array(data)


def test_one_answer_each():
    found = with_answers(read_array(THREE), ["a", "b", "a"], (), None)
    assert found.steps is None and found.target == ("target",)
    assert found.table["target"].to_list() == ["a", "b", "a"]
    several = with_answers(read_array(THREE), np.eye(3), ("p", "q", "r"), "example")
    assert several.target == ("p", "q", "r") and several.table["q"].to_list() == [0, 1, 0]
    assert with_answers(read_array(THREE), np.zeros((3, 4)), (), None).target == tuple(f"target_{i}" for i in range(4))


@pytest.mark.parametrize("form", ["list", "tensors", "padded"])
def test_an_answer_for_each_step(form):
    answers = [np.array([1, 0, 1]), np.array([0]), np.array([1, 1])]
    if form == "tensors":
        answers = [torch.from_numpy(each) for each in answers]
    if form == "padded":
        answers = np.array([[1, 0, 1], [0, 9, 9], [1, 1, 9]])
    found = with_answers(read_array(THREE), answers, ("key",), None)
    assert found.steps["key"].to_list() == [1, 0, 1, 0, 1, 1]


def test_labels_of_each_step_and_words():
    labels = [np.eye(3)[:3], np.eye(3)[:1], np.eye(3)[1:]]
    found = with_answers(read_array(THREE), labels, (), None)
    assert found.steps.shape == (6, 3) and found.target == ("target_0", "target_1", "target_2")
    words = with_answers(read_array(THREE), [["a", "b", "a"], ["b"], ["a", "a"]], (), None)
    assert words.steps["target"].to_list() == ["a", "b", "a", "b", "a", "a"]


def test_as_many_labels_as_steps_can_be_told_apart():
    equal, answers = read_array(np.zeros((4, 3, 2))), np.zeros((4, 3))
    assert with_answers(equal, answers, (), None).steps is not None
    assert with_answers(equal, answers, (), "example").steps is None


def test_refuses_answers_that_do_not_fit():
    with pytest.raises(DataError, match="X has 3 rows and y has 2"):
        with_answers(read_array(THREE), [1, 2], (), None)
    with pytest.raises(DataError, match="X has 3 sequences and y has 2"):
        with_answers(read_array(THREE), np.zeros((2, 3, 1)), (), None)
    with pytest.raises(DataError, match="sequence 1 has 1 step and 2 answers; expected one answer for each step"):
        with_answers(read_array(THREE), [np.zeros(3), np.zeros(2), np.zeros(2)], (), "step")


def test_a_file_says_what_its_answers_are(tmp_path):
    path = tmp_path / "a.ts"
    path.write_text("@classLabel true 1 2\n@data\n1,2:1\n3,4,5:2\n")
    found = read_ts_sequences(path, ())
    assert found.target == ("class",) and found.answer_kind == "class" and found.table["class"].to_list() == ["1", "2"]
    assert read_ts_sequences(path, ("vowel",)).target == ("vowel",)
    path.write_text("@targetLabel true\n@data\n1,2:1\n3,4,5:2.5\n")
    assert read_ts_sequences(path, ()).table["target"].to_list() == [1, 2.5]
    path.write_text("@data\n1,2\n3,4,5\n")
    assert read_ts_sequences(path, ("vowel",)).target == ()
    path.write_text("@targetLabel true\n@data\n1,2:1\n3,4,5:b\n")
    with pytest.raises(DataError, match="answers must be numbers, got '1'"):
        read_ts_sequences(path, ())
