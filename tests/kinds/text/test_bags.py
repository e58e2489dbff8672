from collections import Counter

import numpy as np
import pytest
import torch

from evenkeel.kinds.text.bags import Bag, fill_bag, fit_bag, flatten, runs_of
from evenkeel.kinds.text.tokens import fit_tokenizer

TEXTS = ["not a good film", "a good film , a good one", "not good , not bad", "", "one"]


def learned(texts=TEXTS, *, side_by_side: int = 2, run: int = 0, most: int = 1000):
    tokens = fit_tokenizer(texts, "words")
    return tokens, fit_bag(tokens, tokens.encode(texts), side_by_side=side_by_side, run=run, most=most)


def words_of(text: str) -> list[str]:
    return text.split()


def twin(texts: list[str], side_by_side: int, run: int) -> list[set]:
    """The pieces of each text by plain sets: those that come twice or more in all, and every word."""
    grams = [
        [tuple(words[i : i + n]) for n in range(2, side_by_side + 1) for i in range(len(words) - n + 1)]
        for words in map(words_of, texts)
    ]
    common = {gram for gram, count in Counter(gram for each in grams for gram in each).items() if count > 1}
    letters = [
        [f"run {each}" for word in words_of(text) for each in runs_of(word, run)] if run else [] for text in texts
    ]
    runs = {piece for piece, count in Counter(piece for each in letters for piece in each).items() if count > 1}
    return [
        set(words_of(text)) | (set(gram) & common) | (set(piece) & runs)
        for text, gram, piece in zip(texts, grams, letters, strict=True)
    ]


@pytest.mark.parametrize(("side_by_side", "run"), [(1, 0), (2, 0), (3, 0), (4, 5), (1, 3)])
def test_as_many_pieces_as_sets_of_words_have(side_by_side, run):
    tokens, bag = learned(side_by_side=side_by_side, run=run)
    filled = fill_bag(bag, tokens.encode(TEXTS), [words_of(text) for text in TEXTS])
    expected = twin(TEXTS, side_by_side, run)
    assert filled.starts.diff().tolist() == [len(each) for each in expected]
    assert bag.size == 1 + len(set.union(*expected))
    for row in range(len(TEXTS)):  # each once, ascending, none beyond the bag
        pieces = filled.index_select(0, torch.tensor([row]))
        assert (pieces.diff() > 0).all() and (pieces > 0).all() and (pieces < bag.size).all()


def test_texts_that_share_words_share_their_pieces():
    tokens, bag = learned()
    filled = fill_bag(bag, tokens.encode(["a good film", "a good film indeed", "film good a"]), None)
    first, second, third = (set(filled.index_select(0, torch.tensor([row])).tolist()) for row in range(3))
    assert first == second and third < first


def test_neighbours_do_not_reach_over_unknown_tokens_or_the_end_of_a_text():
    tokens, bag = learned(["a b", "a b"], side_by_side=2)
    counts = fill_bag(bag, tokens.encode(["a b", "a x b", "a", "b"]), None).starts.diff()
    assert counts.tolist() == [3, 2, 1, 1]


def test_an_unknown_word_is_known_by_its_letters():
    texts = ["helpless", "helpless", "useless"]
    tokens, bag = learned(texts, run=4)
    filled = fill_bag(bag, tokens.encode(["harmless", "zzz"]), [["harmless"], ["zzz"]])
    found = filled.index_select(0, torch.tensor([0]))
    letters = {bag.letters[number - bag.tokens - sum(map(len, bag.known()))] for number in found.tolist()}
    assert letters == {"les", "ess", "ss>", "less", "ess>"}
    assert filled.starts.diff().tolist() == [5, 0]


def test_of_each_length_so_many_at_most():
    _, bag = learned(["a b c a b c", "b c"], side_by_side=3, run=3, most=1)
    assert [len(keys) for keys in bag.known()] == [1, 0] and len(bag.letters) == 1
    assert Bag.model_validate_json(bag.model_dump_json()) == bag


def test_nothing_at_all_is_an_empty_bag():
    tokens, bag = learned(["", ""], side_by_side=3, run=5)
    assert bag.size == 1
    filled = fill_bag(bag, tokens.encode(["new words", ""]), [["new", "words"], []])
    assert filled.starts.tolist() == [0, 0, 0]
    assert flatten([]).texts == 0 and flatten([np.array([3], np.int32)]).owners.tolist() == [0]
