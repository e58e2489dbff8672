import sys

import numpy as np
import pytest

from evenkeel.errors import RequestError
from evenkeel.kinds.text.tokens import UNKNOWN, Tokenizer, cut, fit_tokenizer

TEXTS = ["It's a good film, isn't it?", "  Zwölf naïve Boxkämpfer\n\tjagen 東京 🙂 !", ""]
UNITS = ["words", "characters", "bytes", "bpe"]


def fitted(unit: str, **options) -> Tokenizer:
    return fit_tokenizer(TEXTS, unit, form="exact", **{"most": 400, **options})


@pytest.mark.parametrize("unit", UNITS)
def test_a_text_comes_back_as_it_was_and_through_json(unit):
    tokenizer = Tokenizer.model_validate_json(fitted(unit).model_dump_json())
    assert tokenizer == fitted(unit)
    codes = tokenizer.encode(TEXTS)
    assert [tokenizer.decode(each) for each in codes] == TEXTS
    assert all(each.dtype == np.int32 and (each < tokenizer.size).all() and (each > 0).all() for each in codes)
    assert len(codes[2]) == 0


@pytest.mark.parametrize("unit", UNITS)
def test_characters_of_the_codes_add_up_to_those_of_the_text(unit):
    tokenizer = fitted(unit)
    sizes = np.array(tokenizer.characters())
    assert len(sizes) == tokenizer.size
    assert [int(sizes[codes].sum()) for codes in tokenizer.encode(TEXTS)] == list(map(len, TEXTS))
    assert sizes[0] == 0  # what is not known is not written


def test_what_training_has_not_seen_is_code_0():
    tokenizer = fit_tokenizer(["to be"], "words")
    codes = tokenizer.encode(["to see"])[0]
    assert codes.tolist() == [2, 0] and tokenizer.decode(codes) == f"to {UNKNOWN}"
    exact = fit_tokenizer(["abc"], "characters")
    assert exact.decode(exact.encode(["abz"])[0]) == f"ab{UNKNOWN}"


def test_bytes_and_bpe_know_everything():
    for unit in ("bytes", "bpe"):
        tokenizer = fit_tokenizer(["plain"], unit, most=300)
        assert tokenizer.decode(tokenizer.encode(["東京 \x7f ñ"])[0]) == "東京 \x7f ñ"


def test_half_a_character_is_written_as_unknown():
    tokenizer = fit_tokenizer([], "bytes")
    assert tokenizer.decode(tokenizer.encode(["é"])[0][:1]) == UNKNOWN


def test_the_commonest_are_kept_and_ties_go_by_the_alphabet():
    tokenizer = fit_tokenizer(["b a c c", "d d d"], "words", most=3)
    assert tokenizer.tokens == ("d", "c", "a") and tokenizer.size == 4
    assert fit_tokenizer(["b a c c", "d d d"], "words", fewest=2).tokens == ("d", "c")


def test_loose_words_drop_case_and_blanks_and_exact_ones_keep_them():
    assert list(cut("Don't  STOP.", "words", "loose")) == ["don't", "stop", "."]
    assert "".join(cut("Don't  STOP.", "words", "exact")) == "Don't  STOP."


def test_bpe_merges_what_comes_often_and_reads_long_texts_in_parts(monkeypatch):
    text = "the thing there\n" * 200
    tokenizer = fit_tokenizer([text], "bpe", most=280)
    assert len(tokenizer.encode([text])[0]) < len(text) / 2
    whole = tokenizer.encode([text])[0]
    monkeypatch.setattr("evenkeel.kinds.text.tokens.LINES_AT_ONCE", 7)
    np.testing.assert_array_equal(tokenizer.encode([text])[0], whole)


def test_bpe_says_what_it_needs(monkeypatch):
    with pytest.raises(
        RequestError, match="bpe starts from the 256 bytes, so vocabulary must be more than that, got 99"
    ):
        fit_tokenizer(TEXTS, "bpe", most=99)
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(RequestError, match=r"needs the package tokenizers: pip install 'evenkeel\[text\]'"):
        fit_tokenizer(TEXTS, "bpe", most=300)
