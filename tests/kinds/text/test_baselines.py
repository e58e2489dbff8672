import numpy as np
import polars as pl
import pytest
import torch
from sklearn.metrics.pairwise import cosine_similarity

from evenkeel.data.dataset import SplitRequest
from evenkeel.data.fields import all_rows
from evenkeel.heads.for_task import head_for
from evenkeel.kinds import PARTS
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.text import baselines as plain
from evenkeel.kinds.text.baselines import BASELINES, bag_matrix, counts_matrix, neighbour_counts, token_counts
from evenkeel.train.baselines import baseline_scores

WORDS = ["good", "bad", "film", "story", "very", "long"]
TEXT = "ab" * 150 + "ba" * 30 + "c"


def prepared(data, *, net="mlp", target=None, **options):
    kind = PARTS["text"]
    asked = DataRequest(split=SplitRequest(), options=kind.options(**options), net=net, target=target)
    return kind.prepare(data, asked).dataset


def reviews(count=80):
    generator = np.random.default_rng(0)
    texts = [" ".join(generator.choice(WORDS, 5)) for _ in range(count)]
    return texts, ["good" if text.count("good") > text.count("bad") else "bad" for text in texts]


@pytest.mark.parametrize("net", ["mlp", "rnn"])
def test_a_row_of_the_matrix_holds_what_the_text_does(net):
    texts, answers = reviews()
    data = prepared((texts, answers), net=net, ngrams=1, letters=0)
    rows = torch.tensor([3, 0])
    matrix, counts = bag_matrix(data, rows), counts_matrix(data, rows).toarray()
    tokens = data.schema.tokens.tokens
    for row, number in enumerate(rows.tolist()):
        assert {tokens[code - 1] for code in counts[row].nonzero()[0]} == set(texts[number].split())
    np.testing.assert_allclose(np.sqrt(matrix.multiply(matrix).sum(1)), 1.0)


def test_naive_bayes_and_a_linear_model_know_more_than_chance():
    data = prepared(reviews(200))
    scores = baseline_scores(head_for("single-label", "class"), data, seed=0)
    assert set(scores) == {"naive Bayes", "linear"}
    assert min(each["accuracy"] for each in scores.values()) > 0.7


def test_pairs_are_told_by_the_cosine_of_tf_idf():
    left, _ = reviews(60)
    right, _ = reviews(120)
    frame = pl.DataFrame({"a": left, "b": right[60:], "score": np.arange(60) / 7 + 0.01})
    data = prepared(frame, target="score", ngrams=1, letters=0, text="a,b")
    found = bag_matrix(data, torch.arange(60))
    assert found.shape == (60, 2)
    train = data.split.train
    known = [*(left[row] for row in train), *(right[60 + row] for row in train)]
    rarity = {w: np.log((1 + len(known)) / (1 + sum(w in t.split() for t in known))) + 1 for w in WORDS}
    dense = [np.array([[rarity[w] * (w in t.split()) for w in WORDS] for t in each]) for each in (left, right[60:])]
    np.testing.assert_allclose(found[:, 0], np.diag(cosine_similarity(*dense)), atol=1e-6)
    assert set(baseline_scores(head_for("regression", "number"), data, seed=0)) == {"linear"}


def test_counts_of_tokens_are_log_probabilities():
    data = prepared(TEXT, window=8)
    part = head_for("generation", "tokens")
    known, asked = torch.from_numpy(data.split.train), torch.from_numpy(data.split.test)
    single, pairs = (rival(part, data, known, asked, 0) for rival in (token_counts, neighbour_counts))
    answers = data.target.index_select(0, asked)
    assert single.shape == pairs.shape == answers.shape
    counts = torch.bincount(data.target.index_select(0, known).flatten().long(), minlength=3).double()
    expected = (counts.clamp(min=0.5) / counts.clamp(min=0.5).sum()).log()[answers.long()]
    np.testing.assert_allclose(single, expected.numpy(), rtol=1e-6)
    before, after = data.inputs["tokens"].index_select(0, asked), answers
    alternating = ((before == 1) & (after == 2)).numpy()
    assert np.exp(pairs[alternating]).mean() > 0.9 > np.exp(single[alternating]).mean()


def test_every_token_after_any_other_is_possible_and_all_add_up_to_one():
    data = prepared(TEXT, window=8)
    known = torch.from_numpy(data.split.train)
    size = data.schema.tokens.size
    before, after = (all_rows(field)[: len(known)] for field in (data.inputs["tokens"], data.target))
    pairs = torch.bincount(before.flatten().long() * size + after.flatten().long(), minlength=size**2)
    smooth = pairs.view(size, size).double() + plain.ADDED * size * plain._singles(data, known)
    assert (smooth > 0).all()
    found = neighbour_counts(head_for("generation", "tokens"), data, known, known[:1], 0)
    expected = (smooth / smooth.sum(1, keepdim=True)).log()[before[0].long(), after[0].long()]
    np.testing.assert_allclose(found[0], expected.numpy(), rtol=1e-6)


def test_each_rival_leaves_out_what_it_cannot_learn(monkeypatch):
    texts, stream = prepared(reviews()), prepared(TEXT, window=8)
    rows = torch.tensor([0])
    assert token_counts(head_for("single-label", "class"), texts, rows, rows, 0) is None
    assert neighbour_counts(head_for("single-label", "class"), texts, rows, rows, 0) is None
    assert all(
        BASELINES[n](head_for("generation", "tokens"), stream, rows, rows, 0) is None for n in ("linear", "naive Bayes")
    )
    monkeypatch.setattr(plain, "MOST_PAIRS", 2)
    assert neighbour_counts(head_for("generation", "tokens"), stream, rows, rows, 0) is None
