import pytest

from evenkeel.page.predictions import predictions_section


@pytest.mark.parametrize(
    ("kind", "words"),
    [("regression_section", "12 test rows"), ("classes_section", "27 of 29"), ("labels_section", "4 labels")],
)
def test_every_kind_of_prediction_has_its_drawing(kind, words, make, said):
    assert words in said(predictions_section(make[kind]()))


def test_no_predictions_no_section():
    assert predictions_section(None) is None
