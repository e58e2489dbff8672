import numpy as np
import polars as pl
import pytest
import torch

from evenkeel.data.fields import pick
from evenkeel.errors import RequestError
from evenkeel.kinds.pair.new import read_new
from evenkeel.kinds.pair.read import read_pairs
from evenkeel.kinds.pair.schema import PairSchema, encode_pairs, fit_pairs, one_net_fits
from evenkeel.kinds.side import SideRequest

TEXTS = (["a red cat", "a big dog", "a red dog"], ["eine rote katze", "ein hund", "ein roter hund"])
FRAME = pl.DataFrame({"english": TEXTS[0], "german": TEXTS[1], "group": ["x", "y", "y"]})


def fitted(pairs, towers=2):
    return fit_pairs(pairs, np.arange(2), SideRequest(), towers=towers, temperature=0.1)


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
