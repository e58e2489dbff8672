"""What people give for sequences by mistake, and what they are told."""

import numpy as np
import polars as pl
import pytest

from evenkeel.errors import DataError, RequestError
from kinds._sequences import QUICK, fit, long_table, stepwise, waves

FEW = {**QUICK, "updates": 3}
STEPS, ANSWERS = stepwise()
UNEVEN, CLASSES = waves(equal=False)
EQUAL = np.stack(waves()[0])


@pytest.fixture(scope="module")
def run():
    return fit((UNEVEN, CLASSES), settings=FEW)


@pytest.mark.parametrize("options", [{}, {"kind": "sequence"}], ids=["recognised", "named"])
@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([each[:-1] for each in ANSWERS], "sequence 0 has 9 steps and 8 answers"),
        ([each[:-1].tolist() for each in ANSWERS], "sequence 0 has 9 steps and 8 answers"),
        (np.array([each[:-1] for each in ANSWERS], dtype=object), "sequence 0 has 9 steps and 8 answers"),
        ([*ANSWERS[:3], ANSWERS[3][:1], *ANSWERS[4:]], "sequence 3 has .* steps and 1 answer;"),
        (ANSWERS[:-1], "X has 30 sequences and y has 29"),
        ([each.tolist() for each in ANSWERS[:-1]], "X has 30 sequences and y has 29"),
    ],
    ids=["arrays", "lists", "objects", "one", "short", "short lists"],
)
def test_answers_of_another_length_than_their_sequence(y, message, options):
    with pytest.raises(DataError, match=message):
        fit((STEPS, y), settings=FEW, **options)


def test_answers_of_steps_that_are_of_unequal_size():
    pairs = [np.stack([each, each], 1) for each in ANSWERS]
    with pytest.raises(DataError, match=r"sequence 2 has .* steps and .* answers; .* of one size in all"):
        fit((STEPS, [*pairs[:2], *ANSWERS[2:]]), settings=FEW)
    nested = [[[0]] * len(each) for each in STEPS]
    nested[1][0] = [0, 1]
    with pytest.raises(DataError, match="the answers of sequence 1 are of unequal size"):
        fit((STEPS, nested), settings=FEW)


def test_arrays_of_one_axis_and_equal_length_with_uneven_answers_are_sequences():
    with pytest.raises(DataError, match="sequence 0 has 6 steps and 2 answers"):
        fit(([np.arange(6.0)] * 20, [np.zeros(2), *[np.zeros(6)] * 19]), settings=FEW)


def test_labels_of_unequal_number_stay_labels():
    made = fit((UNEVEN, [["slow", "calm"] if each else ["fast"] for each in CLASSES]), settings=FEW)
    assert made.plan.task == "multi-label" and made.classes == ("calm", "fast", "slow")


@pytest.mark.parametrize("data", [UNEVEN, EQUAL], ids=["list", "array"])
@pytest.mark.parametrize("options", [{}, {"kind": "sequence"}], ids=["recognised", "named"])
def test_sequences_without_a_target(data, options):
    with pytest.raises(DataError, match=r"a sequence run needs a target; .* give y in \(X, y\)"):
        fit(data, **options)
    with pytest.raises(RequestError, match=r"a sequence run needs a target, .* try kind='series'"):
        fit(data, task="generation", **options)


def test_a_file_is_not_generated(tmp_path):
    path = tmp_path / "a.ts"
    path.write_text("@classLabel true 0 1\n@data\n" + "\n".join(f"{row},1:{row % 2}" for row in range(20)))
    with pytest.raises(RequestError, match="sequences of numbers are not generated"):
        fit(path, task="generation")


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ([], "expected at least one sequence, got an empty list"),
        (UNEVEN[0], r"got shape \(14, 2\); one sequence alone goes into a list: \[x\]"),
        (np.zeros(5), r"got shape \(5,\); one sequence alone"),
        ([1.0, 2.0], r"got shape \(2,\); one sequence alone"),
        ((EQUAL, np.full(59, 3)), "got 60 sequences and 59 lengths"),
        ((EQUAL, [3] * 60), "with lengths as an array of whole numbers"),
    ],
)
def test_says_what_new_sequences_must_be(run, new, message):
    with pytest.raises(DataError, match=message):
        run.predict(new)


def test_one_sequence_of_one_channel_is_told_from_rows_of_steps():
    one = fit((EQUAL[:, :, :1], CLASSES), settings=FEW)
    with pytest.raises(DataError, match=r"got shape \(12, 1\); one sequence alone"):
        one.predict(EQUAL[0, :, :1])
    assert one.predict(EQUAL[:, :, 0]).shape == (60,)


def test_too_few_lengths_in_training():
    with pytest.raises(DataError, match="got 60 sequences and 59 lengths"):
        fit(((EQUAL, np.full(59, 3)), CLASSES), settings=FEW)


# Gaps


def test_many_gaps_train_and_are_told():
    holes = np.random.default_rng(0).random(EQUAL.shape) < 0.7
    made = fit((np.where(holes, np.nan, EQUAL), CLASSES), settings=FEW)
    assert made.record.notes[0].startswith(f"{holes.sum()} of 1440 values (68 %) are missing, in 60 of 60 sequences")
    assert made.record.notes[1].startswith("More than half of the values are missing")


def test_infinite_values_of_arrays_and_tables_are_told():
    far = EQUAL.copy()
    far[3, 2, 1] = np.inf
    table = long_table(list(far), CLASSES).drop("t")
    for data, options in (((far, CLASSES), {}), (table, {"target": "y"})):
        settings = {**FEW, "series": "id"} if options else FEW
        made = fit(data, settings=settings, **options)
        assert made.record.notes[0].startswith("1 of 1440 values (0.069 %) is missing, in 1 of 60 sequences")
        assert made.record.notes[1] == "1 of these is infinite and counts as missing."


def test_a_sequence_of_gaps_alone_is_refused_when_training_and_when_predicting(run):
    empty = [each if row != 7 else np.full_like(each, np.nan) for row, each in enumerate(UNEVEN)]
    for call in (lambda: fit((empty, CLASSES), settings=FEW), lambda: run.predict(empty)):
        with pytest.raises(DataError, match="sequence 7 holds no number in any channel;"):
            call()
    with pytest.raises(DataError, match="sequence 7 holds no number"):
        run.evaluate((empty, CLASSES))
    unanswered = [None if row == 7 else int(answer) for row, answer in enumerate(CLASSES)]
    made = fit((empty, unanswered), settings=FEW)
    assert "1 of 60 rows have no target" in made.record.notes[0] and len(made.record.notes) == 1
    table = long_table(empty, CLASSES)
    with pytest.raises(DataError, match=r"sequence 7 \('s7'\) holds no number"):
        fit(table, target="y", settings={**FEW, "series": "id", "time": "t"})


# A long table that is not called so


def test_a_table_whose_rows_look_like_steps_is_noted():
    table = long_table(UNEVEN, CLASSES)
    numbered = table.with_columns(id=pl.col("id").str.slice(1).cast(pl.Int64))
    for data in (table, numbered, numbered.rename({"id": "patient_id"})):
        name = "patient_id" if "patient_id" in data.columns else "id"
        notes = fit(data, target="y", kind="sequence", settings=FEW).record.notes
        assert notes[0].startswith("Each row is taken as one sequence.") and f"'series': '{name}'" in notes[0]
    said = fit(table, target="y", settings={**FEW, "series": "id", "time": "t"}).record.notes
    wide = table.drop("id").with_columns(count=pl.lit(3))
    for notes in (said, fit(wide, target="y", kind="sequence", settings=FEW).record.notes):
        assert not any("Each row is taken" in note for note in notes)
