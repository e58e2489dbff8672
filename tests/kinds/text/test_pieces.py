import itertools

import numpy as np
import pytest
import torch

from evenkeel.kinds.text.bags import fill_bag, fit_bag
from evenkeel.kinds.text.pieces import Pieces
from evenkeel.kinds.text.tokens import fit_tokenizer

TEXTS = ["the cat sat on the mat", "the cat ate", "a dog sat on the cat", "dogs", "", "the cat sat on the mat"]


@pytest.fixture
def read():
    """Pieces of a bag of words, neighbours and letters, and the fields of the texts."""
    tokens = fit_tokenizer(TEXTS, "words")
    codes = tokens.encode(TEXTS)
    bag = fit_bag(tokens, codes, side_by_side=2, run=4, most=100)
    filled = fill_bag(bag, codes, [text.split() for text in TEXTS])
    pieces = Pieces(bag, 5, 0.5)
    pieces.start(filled.values, len(TEXTS))
    return pieces, filled.values, filled.starts.diff()


def twin(pieces: Pieces, numbers: torch.Tensor, counts: torch.Tensor) -> np.ndarray:
    """tf-idf of each text (text, piece): every kind of length one, divided by the root of how many kinds there are."""
    ends = [0, *pieces.ends.tolist()]
    rarity, scale = pieces.rarity.double().numpy(), pieces.scale.detach().double().numpy()
    matrix = np.zeros((len(counts), len(pieces.rarity)))
    start = 0
    for row, count in enumerate(counts.tolist()):
        for number in numbers[start : start + count].tolist():
            matrix[row, number] = rarity[number] * np.exp(scale[number])
        start += count
        for low, high in itertools.pairwise(ends):
            norm = np.linalg.norm(matrix[row, low:high])
            matrix[row, low:high] /= (norm or 1.0) * np.sqrt(pieces.kinds)
    return matrix


@pytest.mark.parametrize("learned", [0.0, 0.3])
def test_the_sum_is_that_of_a_dense_matrix(read, learned):
    pieces, numbers, counts = read
    torch.nn.init.normal_(pieces.scale, std=learned)
    expected = twin(pieces, numbers, counts) @ pieces.vectors.weight.detach().double().numpy()
    found = pieces.eval()(numbers, counts)
    np.testing.assert_allclose(found.detach().numpy(), expected, atol=1e-5)
    assert found[4].abs().max() == 0  # nothing known in it


def test_rarity_is_that_of_scikit_learn(read):
    from sklearn.feature_extraction.text import TfidfVectorizer

    pieces, *_ = read
    model = TfidfVectorizer(token_pattern=r"\w+").fit(TEXTS)
    tokens = fit_tokenizer(TEXTS, "words")
    expected = [model.idf_[model.vocabulary_[token]] for token in tokens.tokens]
    np.testing.assert_allclose(pieces.rarity[1 : tokens.size].numpy(), expected, rtol=1e-6)


def test_cosines_are_those_of_each_kind(read):
    pieces, numbers, counts = read
    dense = twin(pieces, numbers, counts)
    left = pieces.weigh(numbers, counts)
    order = [5, 0, 1, 3, 4, 2]
    starts = counts.cumsum(0) - counts
    chosen = torch.cat([numbers[starts[row] : starts[row] + counts[row]] for row in order])
    right = pieces.weigh(chosen, counts[order])
    found = pieces.cosines(left, right, len(TEXTS)).detach().numpy()
    ends = [0, *pieces.ends.tolist()]
    for kind in range(pieces.kinds):
        part = slice(ends[kind], ends[kind + 1])
        expected = (dense[:, part] * dense[order][:, part]).sum(1) * pieces.kinds
        np.testing.assert_allclose(found[:, kind], expected, atol=1e-5)
    np.testing.assert_allclose(found[0], 1.0, atol=1e-5)


def test_pieces_are_silenced_while_training_only(read):
    pieces, numbers, counts = read
    assert torch.equal(pieces.eval()(numbers, counts), pieces(numbers, counts))
    assert not torch.equal(pieces.train()(numbers, counts), pieces(numbers, counts))


def test_gradients_reach_vectors_and_weights(read):
    pieces, numbers, counts = read
    pieces.eval()(numbers, counts).square().sum().backward()
    used = torch.zeros(len(pieces.scale), dtype=torch.bool)
    used[numbers.long()] = True
    assert ((pieces.vectors.weight.grad.abs().sum(1) > 0) == used).all()
    assert pieces.scale.grad[used].abs().max() > 0


def test_one_kind_alone_is_a_bag_too():
    tokens = fit_tokenizer(["abc", "abd"], "characters")
    bag = fit_bag(tokens, tokens.encode(["abc", "abd"]), side_by_side=1, run=0, most=9)
    pieces = Pieces(bag, 3, 0.0)
    assert pieces.kinds == 1 and pieces(torch.tensor([1, 2]), torch.tensor([2])).shape == (1, 3)
