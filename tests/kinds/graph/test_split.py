import numpy as np
import pytest

from evenkeel.errors import DataError
from evenkeel.kinds.graph.split import check_apart, complete

TRAIN = np.arange(10)
LABELLED = np.setdiff1d(np.arange(60), [11, 12])
HALVES = {"validation": 0.15, "test": 0.15}


def test_parts_that_share_a_node_are_named():
    parts = {"train": np.array([1, 2]), "validation": np.array([3]), "test": np.array([5, 2])}
    check_apart({part: parts[part] for part in ("train", "validation")}, {})
    with pytest.raises(DataError, match=r"idx_train and test_mask share 1 node\(s\), such as node 2; a node may be in"):
        check_apart(parts, {"train": "idx_train", "validation": "idx_val", "test": "test_mask"})


def test_what_is_held_out_comes_from_the_rest():
    completed = complete({"train": TRAIN}, LABELLED, **HALVES, seed=0)
    drawn = np.concatenate([completed.parts["validation"], completed.parts["test"]])
    assert sorted(drawn) == np.setdiff1d(LABELLED, TRAIN).tolist() and completed.parts["train"] is TRAIN
    assert len(completed.parts["validation"]) == len(completed.parts["test"]) == 24
    assert completed.note == (
        "The data mark no nodes for validation or test: drawn from the 48 others with an answer, 24 for validation and "
        "24 for test."
    )
    again, other = (complete({"train": TRAIN}, LABELLED, **HALVES, seed=seed).parts["test"] for seed in (0, 1))
    assert np.array_equal(completed.parts["test"], again) and not np.array_equal(again, other)


def test_only_what_is_missing_and_asked_for_is_drawn():
    validation = np.arange(20, 30)
    completed = complete({"train": TRAIN, "validation": validation}, LABELLED, **HALVES, seed=0)
    assert completed.parts["validation"] is validation and len(completed.parts["test"]) == 38
    assert completed.note.startswith("The data mark no nodes for test: drawn from the 38")
    alone = complete({"train": TRAIN}, LABELLED, validation=0.0, test=0.2, seed=0)
    assert set(alone.parts) == {"train", "test"} and len(alone.parts["test"]) == 48
    unasked = complete({"train": TRAIN}, LABELLED, validation=0.2, test=0.0, seed=0)
    assert set(unasked.parts) == {"train", "validation"}


@pytest.mark.parametrize(
    "parts, shares",
    [
        ({"train": TRAIN, "test": np.arange(10, 20)}, HALVES),
        ({"train": LABELLED}, HALVES),
        ({"train": TRAIN}, {"validation": 0.0, "test": 0.0}),
    ],
)
def test_else_the_parts_stay_as_they_are(parts, shares):
    completed = complete(parts, LABELLED, **shares, seed=0)
    assert completed.parts == parts and completed.note is None
