"""Laws of every split: parts disjoint, shares as requested, nothing of the future or of a group in two parts."""

import numpy as np
import pytest

from evenkeel.data.split import Split, given_split, group_split, random_split, time_split, with_validation
from evenkeel.errors import DataError, RequestError

SHARES = [(0.15, 0.15), (0.2, 0.0), (0.0, 0.2), (0.0, 0.0), (0.3, 0.5), (0.1, 0.25)]


def labels(rows, seed=0):
    """Classes of very different sizes."""
    return np.random.default_rng(seed).choice(5, size=rows, p=[0.6, 0.25, 0.1, 0.04, 0.01])


def times(rows):
    return np.random.default_rng(0).integers(0, rows // 2, rows).astype(float)  # with ties


def names(rows, groups=40):
    return [f"group {value}" for value in np.random.default_rng(0).integers(0, groups, rows)]


KINDS = {
    "random": lambda rows, **shares: random_split(rows, seed=0, **shares),
    "stratified": lambda rows, **shares: random_split(rows, seed=0, classes=labels(rows), **shares),
    "time": lambda rows, **shares: time_split(times(rows), column="t", **shares),
    "group": lambda rows, **shares: group_split(names(rows), seed=0, column="g", **shares),
}


def parts(split):
    return split.train, split.validation, split.test


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("validation", "test"), SHARES)
@pytest.mark.parametrize("rows", [100, 997, 4000])
def test_parts_are_disjoint_cover_all_rows_and_have_their_shares(kind, validation, test, rows):
    split = KINDS[kind](rows, validation=validation, test=test)
    together = np.concatenate(parts(split))
    assert np.array_equal(np.sort(together), np.arange(rows))
    for part in parts(split):
        assert part.dtype == np.int64
        assert (np.diff(part) > 0).all()
    # Groups are whole: a share can be missed by half a group, here of rows/40 on average.
    slack = rows / 20 if kind == "group" else 2
    assert len(split.validation) == pytest.approx(validation * rows, abs=slack)
    assert len(split.test) == pytest.approx(test * rows, abs=slack)
    assert (len(split.validation) > 0) == (validation > 0)
    assert (len(split.test) > 0) == (test > 0)


@pytest.mark.parametrize("kind", ["random", "stratified", "group"])
def test_the_seed_decides(kind):
    def make(seed):
        if kind == "group":
            return group_split(names(500), validation=0.2, test=0.2, seed=seed, column="g")
        classes = labels(500) if kind == "stratified" else None
        return random_split(500, validation=0.2, test=0.2, seed=seed, classes=classes)

    assert np.array_equal(make(3).test, make(3).test)
    assert not np.array_equal(make(3).test, make(4).test)


@pytest.mark.parametrize("seed", range(5))
def test_every_class_is_spread_in_proportion(seed):
    classes = labels(2000, seed)
    split = random_split(2000, validation=0.15, test=0.2, seed=seed, classes=classes)
    for code, count in enumerate(np.bincount(classes)):
        in_part = [int((classes[part] == code).sum()) for part in parts(split)]
        assert in_part == pytest.approx([0.65 * count, 0.15 * count, 0.2 * count], abs=2.5)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_many_small_classes_all_train_and_are_all_measured(seed, size):
    classes = np.repeat(np.arange(120), size)
    split = random_split(len(classes), validation=0.15, test=0.15, seed=seed, classes=classes)
    assert set(classes[split.train]) == set(range(120))
    if size > 1:
        assert len(split.test) == pytest.approx(0.15 * len(classes), abs=2)
        assert len(split.validation) == pytest.approx(0.15 * len(classes), abs=2)
    else:
        assert len(split.test) == 0


def test_what_small_classes_owe_a_large_one_pays_in_part():
    classes = np.r_[np.arange(1, 101), np.zeros(1000, np.int64)]
    split = random_split(len(classes), validation=0.15, test=0.15, seed=0, classes=classes)
    assert set(classes[split.train]) == set(range(101))
    # Not more than its own share, rounded up: else a large class would be measured and not trained on.
    assert len(split.test) == 150


def test_rows_within_a_class_are_drawn_at_random():
    classes = np.zeros(1000, np.int64)
    classes[500:] = 1
    split = random_split(1000, validation=0.0, test=0.5, seed=0, classes=classes)
    half = split.test[split.test < 500]
    assert 200 < half.mean() < 300
    assert len(np.unique(np.diff(half))) > 3


def test_time_goes_forward():
    when = times(1000)
    split = time_split(when, validation=0.2, test=0.2, column="t")
    train, validation, test = (when[part] for part in parts(split))
    assert train.max() <= validation.min()
    assert validation.max() <= test.min()
    assert split.how == "by time (t), the newest rows as test"


@pytest.mark.parametrize("seed", range(10))
def test_no_group_is_in_two_parts(seed):
    groups = np.asarray(names(600))
    split = group_split(groups.tolist(), validation=0.2, test=0.2, seed=seed, column="g")
    parts_of_groups = [set(groups[part]) for part in parts(split)]
    assert not parts_of_groups[0] & parts_of_groups[1]
    assert not parts_of_groups[0] & parts_of_groups[2]
    assert not parts_of_groups[1] & parts_of_groups[2]


@pytest.mark.parametrize("seed", range(20))
def test_one_huge_group_trains(seed):
    split = group_split(["a"] * 380 + ["b"] * 10 + ["c"] * 10, validation=0.15, test=0.15, seed=seed, column="g")
    assert [len(part) for part in parts(split)] == [380, 10, 10]


def test_groups_of_any_type_and_missing_ones():
    split = group_split([1, 1.5, None, None, "x", 3], validation=0.2, test=0.2, seed=0, column="g")
    assert sorted(np.concatenate(parts(split)).tolist()) == list(range(6))
    assert len({name for name, part in enumerate(parts(split)) for row in (2, 3) if row in part}) == 1


def test_too_few_groups():
    with pytest.raises(DataError, match="needs at least 3 groups, 'town' has 2; set test or validation to 0"):
        group_split(["a", "b"] * 50, validation=0.15, test=0.15, seed=0, column="town")
    split = group_split(["a", "b"] * 50, validation=0.0, test=0.15, seed=0, column="town")
    assert len(split.test) == len(split.train) == 50


def split_by(parts, rows=10, height=None):
    height = rows if height is None else height
    return given_split(parts, rows=np.arange(rows), height=height)


@pytest.mark.parametrize(
    "parts_given",
    [
        {"train": [0, 3, 1], "test": [5]},
        {"train": range(0, 4, 1), "validation": np.array([9]), "test": []},
        ["train"] * 6 + ["validation"] * 2 + ["test"] * 2,
        np.array(["train"] * 10),
        ("train",) * 10,
    ],
)
def test_given_parts_are_taken_as_they_are(parts_given):
    split = split_by(parts_given)
    for word, part in zip(("train", "validation", "test"), parts(split), strict=True):
        if isinstance(parts_given, dict):
            assert part.tolist() == sorted(parts_given.get(word, []))
        else:
            assert part.tolist() == [row for row, part_word in enumerate(parts_given) if part_word == word]


def test_given_rows_speak_of_the_table_as_it_came():
    kept = np.array([0, 2, 3, 5])  # rows 1 and 4 have no target
    split = given_split({"train": [0, 1, 2], "test": [4, 5]}, rows=kept, height=6)
    assert (split.train.tolist(), split.test.tolist()) == ([0, 1], [3])
    words = ["train", "train", "train", "validation", "test", "test"]
    split = given_split(words, rows=kept, height=6)
    assert [part.tolist() for part in parts(split)] == [[0, 1], [2], [3]]
    split = given_split(["train", "train", "test", "test"], rows=kept, height=6)
    assert (split.train.tolist(), split.test.tolist()) == ([0, 1], [2, 3])


@pytest.mark.parametrize(
    ("parts_given", "message"),
    [
        (["train"] * 9, r"expected 10 words out of \('train', 'validation', 'test'\), one for each row, got 9"),
        (["train"] * 9 + ["tst"], r"expected words out of .*, got \['tst'\]"),
        ({"training": [1]}, r"a given split has the parts .*, got \['training'\]"),
        ({"train": [0, 1], "test": [1]}, "must name each of the rows 0..9 at most once"),
        ({"train": [0, 10]}, "must name each of the rows 0..9 at most once"),
        ({"train": [0, -1]}, "must name each of the rows 0..9 at most once"),
        ({"train": [True] * 10}, "lists row numbers, got values of type bool; try np.flatnonzero"),
        ({"train": np.array([0.5, 1.0])}, "lists row numbers, got values of type float64"),
    ],
)
def test_given_parts_that_make_no_sense(parts_given, message):
    with pytest.raises(RequestError, match=message):
        split_by(parts_given)


@pytest.mark.parametrize(("validation", "test"), [(0.5, 0.5), (1.0, 0.0), (-0.1, 0.2), (float("nan"), 0.1), (0.9, 0.2)])
@pytest.mark.parametrize("kind", KINDS)
def test_shares_that_leave_nothing(kind, validation, test):
    with pytest.raises(RequestError, match=r"validation \+ test must be in \[0, 1\), got .*; try 0.15 and 0.15"):
        KINDS[kind](100, validation=validation, test=test)


def test_no_row_left_for_training():
    with pytest.raises(DataError, match=r"no row is left for training \(random\); lower `validation` and `test`"):
        random_split(2, validation=0.49, test=0.5, seed=0)
    with pytest.raises(DataError, match=r"no row is left for training \(given\)"):
        split_by({"test": [1, 2]})


def test_a_split_cannot_be_changed():
    split = random_split(20, validation=0.1, test=0.1, seed=0)
    assert isinstance(split, Split)
    with pytest.raises(AttributeError):
        split.how = "otherwise"


@pytest.mark.parametrize("classes", [None, labels(100)], ids=["plain", "stratified"])
def test_validation_drawn_from_training_rows(classes):
    given_parts = split_by({"train": range(20, 100), "test": range(20)}, rows=100)
    split = with_validation(given_parts, share=0.25, seed=0, classes=classes)
    assert split.test.tolist() == list(range(20))
    assert sorted([*split.train, *split.validation]) == list(range(20, 100))
    assert len(split.validation) == 20
    assert np.array_equal(
        split.validation, with_validation(given_parts, share=0.25, seed=0, classes=classes).validation
    )


def test_validation_that_is_there_or_not_wanted_stays_as_it_is():
    split = split_by({"train": range(5), "validation": [7]})
    assert with_validation(split, share=0.5, seed=0) is split
    bare = split_by({"train": range(5)})
    assert with_validation(bare, share=0.0, seed=0) is bare


def test_validation_rows_can_be_drawn_in_whole_groups():
    groups = np.arange(60) // 3
    explicit = Split(train=np.arange(45), validation=np.empty(0, np.int64), test=np.arange(45, 60), how="given")
    split = with_validation(explicit, share=0.3, seed=0, groups=groups)
    assert not set(groups[split.train]) & set(groups[split.validation])
    assert len(split.validation) == pytest.approx(13, abs=3) and np.array_equal(split.test, explicit.test)
