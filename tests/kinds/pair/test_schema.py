import numpy as np
import polars as pl
import pytest
import torch

from evenkeel.data.fields import pick
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.pair.new import read_new
from evenkeel.kinds.pair.schema import PairSchema, alike, encode_pairs, fit_pairs, one_net_fits, read_pairs
from evenkeel.kinds.pair.sides import SideRequest

TEXTS = (["a red cat", "a big dog", "a red dog"], ["eine rote katze", "ein hund", "ein roter hund"])
FRAME = pl.DataFrame({"english": TEXTS[0], "german": TEXTS[1], "group": ["x", "y", "y"]})


def fitted(pairs, towers=2):
    return fit_pairs(pairs, np.arange(2), SideRequest(), towers=towers, temperature=0.1)


@pytest.mark.parametrize(
    "data", [TEXTS, {"left": TEXTS[0], "right": TEXTS[1]}, FRAME.drop("group"), FRAME.drop("group").to_pandas()]
)
def test_pairs_come_as_tuple_mapping_or_table(data):
    pairs = read_pairs(data, {})
    assert [side.to_series().to_list() for side in pairs.sides.values()] == list(TEXTS)
    assert pairs.rows.tolist() == [0, 1, 2] and pairs.height == 3


def test_columns_may_be_named_and_others_are_set_aside(tmp_path):
    path = tmp_path / "pairs.csv"
    FRAME.write_csv(path)
    pairs = read_pairs(path, {"left": ["german"], "right": ["english"]}, ["group"])
    assert pairs.columns == {"left": ("german",), "right": ("english",)} and pairs.rest.columns == ["group"]
    assert pairs.folder == tmp_path
    assert read_pairs(path, {}, ["group"]).columns["left"] == ("english",)


def test_rows_that_lack_a_side_are_counted():
    pairs = read_pairs((["a", None, "c"], ["x", "y", None]), {})
    assert pairs.rows.tolist() == [0]
    assert pairs.notes == ("2 of 3 rows lack a side and are left out.",)


def test_pairs_are_alike_by_a_chain_of_shared_sides():
    pairs = read_pairs((["a", "a", "b", "c", "d"], ["1", "2", "2", "3", "4"]), {})
    assert alike(pairs).tolist() == [0, 0, 0, 1, 2]
    assert alike(pairs, ["g", "h", "i", "j", "j"]).tolist() == [0, 0, 0, 1, 1]


def slow_alike(left, right):
    """Numbers passed on between neighbours until nothing changes."""
    found = list(range(len(left)))
    for _ in left:
        for i in range(len(left)):
            for j in range(len(left)):
                if left[i] == left[j] or right[i] == right[j]:
                    found[i] = found[j] = min(found[i], found[j])
    return found


def test_alike_agrees_with_passing_numbers_on():
    left, right = np.random.default_rng(0).integers(0, 14, (2, 20)).tolist()
    found = alike(read_pairs(([f"l{x}" for x in left], [f"r{x}" for x in right]), {})).tolist()
    slow = slow_alike(left, right)
    assert len(set(found)) > 2
    assert [[a == b for b in found] for a in found] == [[a == b for b in slow] for a in slow]


def test_fields_are_named_by_their_side_and_one_side_can_come_alone():
    pairs = read_pairs(TEXTS, {})
    schema = fitted(pairs)
    both = encode_pairs(schema, pairs)
    assert set(both) == {"left_pieces", "left_counts", "right_pieces", "right_counts"}
    alone = encode_pairs(schema, read_new(schema, {"right": TEXTS[1]}))
    assert set(alone) == {"right_pieces", "right_counts"}
    rows = torch.tensor([2, 0])
    assert torch.equal(pick(both, rows)["right_pieces"], pick(alone, rows)["right_pieces"])


def test_the_schema_survives_json_and_knows_its_training_rows_alone():
    schema = fitted(read_pairs((TEXTS[0], [[1.0], [3.0], [1000.0]]), {}))
    assert PairSchema.model_validate_json(schema.model_dump_json()) == schema
    assert schema.right.schema_.numbers[0].scale.center == 2.0
    assert schema.left.name == "text" and schema.right.name == "table"
    assert "dog" in schema.left.schema_.tokens.tokens


def test_one_net_for_both_learns_of_both():
    pairs = read_pairs(TEXTS, {})
    shared = fitted(pairs, towers=1)
    assert shared.left.schema_ == shared.right.schema_
    assert {"cat", "katze"} <= set(shared.left.schema_.tokens.tokens)
    assert "katze" not in fitted(pairs).left.schema_.tokens.tokens
    fields = encode_pairs(shared, read_new(shared, FRAME.rename({"english": "left", "german": "right"})))
    assert torch.equal(fields["left_counts"], encode_pairs(shared, pairs)["left_counts"])


def test_images_of_one_size_share_a_net_and_others_do_not():
    small, large = np.zeros((3, 8, 8), np.uint8), np.zeros((3, 12, 12), np.uint8)
    assert one_net_fits(read_pairs((small, small), {}))
    assert not one_net_fits(read_pairs((small, large), {}))
    assert not one_net_fits(read_pairs((small, TEXTS[0]), {}))
    with pytest.raises(RequestError, match="one net for both sides needs sides of one kind and size, got image and te"):
        fitted(read_pairs((small, TEXTS[0]), {}), towers=1)
    schema = fitted(read_pairs((small, small), {}), towers=1)
    assert schema.left.schema_.mean == (0.0,)


@pytest.mark.parametrize(
    ("data", "columns", "error", "words"),
    [
        (TEXTS[0], {}, DataError, "expected an array"),
        ((TEXTS[0], TEXTS[1][:2]), {}, DataError, "two sides of equal length, row by row a pair, got left 3, right 2"),
        ((*TEXTS, TEXTS[0]), {}, DataError, r"expected a pair \(left, right\), got a tuple of 3"),
        ({"left": TEXTS[0]}, {}, DataError, "expected two sides of equal length, row by row a pair, got left 3 rows"),
        (
            FRAME,
            {},
            RequestError,
            r"which columns belong together\? Expected two, got 3: \['english', 'german'",
        ),
        (FRAME, {"left": ["english"], "right": ["greman"]}, DataError, "no column 'greman' .* did you mean 'german'"),
    ],
)
def test_what_are_no_pairs(data, columns, error, words):
    with pytest.raises(error, match=words):
        read_pairs(data, columns)


def test_rows_of_which_a_side_holds_no_number_are_left_out_and_counted():
    left = np.arange(12.0).reshape(6, 2)
    left[[1, 4]] = np.nan
    left[2, 0] = np.nan
    pairs = read_pairs((left, np.arange(6.0)), {})
    assert pairs.rows.tolist() == [0, 2, 3, 5]
    assert pairs.notes == ("2 of 6 rows lack a side and are left out.",)


@pytest.mark.parametrize("right", [["english"], ["german", "english"]])
def test_a_column_cannot_be_on_both_sides(right):
    with pytest.raises(RequestError, match=r"column 'english' is named twice .* give each side columns of its own"):
        read_pairs(FRAME, {"left": ["english"], "right": right})
