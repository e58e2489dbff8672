import pytest

from evenkeel.kinds.text.options import TextOptions, reading_of


@pytest.mark.parametrize(("net", "order"), [("", "bag"), ("mlp", "bag"), ("rnn", "order"), ("given", "order")])
def test_an_mlp_reads_bags_and_other_nets_tokens_in_their_order(net, order):
    assert reading_of(TextOptions(), net).order == order


def test_what_is_left_open_goes_by_what_a_text_is_cut_into():
    assert reading_of(TextOptions(), "").unit == "words"
    assert reading_of(TextOptions(tokens="characters"), "").vocabulary == 5_000
    assert reading_of(TextOptions(tokens="bytes", vocabulary=7, longest=3), "").model_dump() == {
        "unit": "bytes", "order": "bag", "vocabulary": 7, "ngrams": 2, "letters": 5, "longest": 3
    }  # fmt: skip
