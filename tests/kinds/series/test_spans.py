import numpy as np
import pytest

from evenkeel.data.dataset import SplitRequest
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.series.spans import spans_of, window_starts

ROWS = np.arange(100)


def asked(how, **options):
    return SplitRequest(how=how, **options)


@pytest.mark.parametrize("how", ["random", "time:day"])
def test_the_oldest_steps_train_and_the_newest_are_the_test(how):
    found = spans_of(asked(how, validation=0.1, test=0.2), ROWS, 100, "day")
    assert (found.train, found.validation, found.test) == (range(70), range(70, 80), range(80, 100))
    assert "by time (day)" in found.how


def test_given_rows_may_leave_some_out_and_are_moved_past_gaps():
    parts = {"train": range(10, 50), "validation": range(50, 60), "test": range(70, 90)}
    found = spans_of(asked(parts), ROWS, 100, "day")
    assert (found.train, found.validation, found.test) == (range(10, 50), range(50, 60), range(70, 90))
    places = np.where(ROWS < 55, ROWS, ROWS + 3) - 12  # three steps without a row, and twelve steps cut off before
    found = spans_of(asked(parts), places, 91, "day")
    assert (found.train, found.validation, found.test) == (range(38), range(38, 51), range(61, 81))


def test_validation_is_taken_from_the_end_of_training():
    found = spans_of(asked({"train": range(60), "test": range(60, 100)}, validation=0.1), ROWS, 100, "day")
    assert (found.train, found.validation) == (range(54), range(54, 60))
    assert not spans_of(asked({"train": range(60)}, validation=0.0), ROWS, 100, "day").validation
    words = ["train"] * 80 + ["test"] * 20
    assert spans_of(asked(words, validation=0.25), ROWS, 100, "day").validation == range(60, 80)


@pytest.mark.parametrize(
    "how, options, message",
    [
        ("group:town", {}, "a forecast is split by time alone, got split='group:town'"),
        ("time:other", {}, "split by time alone, got split='time:other'"),
        ("random", {"test": 0.9, "validation": 0.3}, r"validation \+ test must be in \[0, 1\), got 0.3 \+ 0.9"),
        ({"train": range(0, 40, 2), "test": range(50, 60)}, {}, "one piece each .* the 20 rows of train lie between 0"),
        ({"train": range(50, 100), "test": range(50)}, {}, "follow each other: train, validation, test; the 50 rows"),
        ({"train": range(50), "later": range(50, 60)}, {}, r"a given split has the parts .*got \['later'\]"),
    ],
)
def test_other_splits_are_refused(how, options, message):
    with pytest.raises(RequestError, match=message):
        spans_of(asked(how, **options), ROWS, 100, "day")


@pytest.mark.parametrize("window, horizon", [(8, 3), (5, 1), (30, 4)])
def test_no_target_leaves_its_part_and_no_training_window_leaves_training(window, horizon):
    train, validation, test = range(10, 70), range(70, 80), range(85, 100)
    for part, span in (("train", train), ("validation", validation), ("test", test)):
        starts = window_starts(span, window, horizon, part)
        ahead = {step for start in starts for step in range(start + window, start + window + horizon)}
        # Every step of the part is forecast; training needs its first window to look at.
        assert ahead == set(span[window:] if part == "train" else span)
        assert starts.min() >= (span.start if part == "train" else 0)


def test_windows_before_the_first_step_do_not_exist():
    assert window_starts(range(4, 20), 10, 2, "validation")[0] == 0


def test_many_windows_are_thinned_evenly():
    assert window_starts(range(1000), 10, 5, "test", most=100).tolist() == list(range(0, 986, 10))
    assert len(window_starts(range(1000), 10, 5, "test", most=2000)) == 986


def test_a_part_without_room_is_refused_and_one_not_asked_for_is_empty():
    assert not len(window_starts(range(5, 5), 10, 2, "test"))
    with pytest.raises(DataError, match=r"the train part has 11 steps, fewer than window \+ horizon = 12"):
        window_starts(range(11), 10, 2, "train")
    with pytest.raises(DataError, match=r"the validation part has 3 steps, fewer than the horizon 4"):
        window_starts(range(50, 53), 10, 4, "validation")
