import pytest
import torch

from evenkeel.errors import ShapeError
from evenkeel.losses import nt_xent, nt_xent_from_labels

EMBEDDING = torch.tensor([[-1.954, 1.078], [0.238, -0.5703], [1.8745, -0.0195], [-0.6719, -1.921]], dtype=torch.float64)


def plain(embedding, labels, temperature=0.5, denominator="negatives"):
    """Pair by pair."""
    unit = embedding / embedding.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    scores = unit @ unit.T / temperature
    found = []
    for i, label in enumerate(labels.tolist()):
        others = torch.tensor([j for j in range(len(labels)) if j != i], dtype=torch.long)
        same = [j for j in others.tolist() if labels[j] == label]
        away = torch.tensor([j for j in others.tolist() if labels[j] != label], dtype=torch.long)
        terms = []
        for j in same:
            against = others if denominator == "all" else torch.cat([away, torch.tensor([j])])
            terms.append(torch.logsumexp(scores[i, against], 0) - scores[i, j])
        found.append(torch.stack(terms).mean() if terms else 0 * scores[i].sum())
    return torch.stack(found) if found else embedding.sum(1)


@pytest.mark.parametrize(
    ("labels", "denominator", "expected"),
    [
        ([0, 0, 1, 1], "negatives", 14.01032),
        ([0, 0, 0, 1], "negatives", 8.968544),
        ([0, 0, 0, 1], "all", 10.672),
    ],
)
def test_golden_values(labels, denominator, expected):
    found = nt_xent_from_labels(EMBEDDING, torch.tensor(labels), temperature=0.07, denominator=denominator)
    assert found == pytest.approx(expected, rel=1e-5)


def test_golden_value_with_a_row_of_zeros():
    embedding = EMBEDDING.clone()
    embedding[0] = 0
    found = nt_xent_from_labels(embedding.requires_grad_(), torch.tensor([0, 0, 1, 1]), temperature=0.07)
    assert found.item() == pytest.approx(9.2889, rel=1e-5)
    assert torch.autograd.grad(found, embedding)[0].isfinite().all()


@pytest.mark.parametrize("denominator", ["negatives", "all"])
@pytest.mark.parametrize("classes", [1, 3, 30])
def test_value_and_gradient_agree_pair_by_pair(denominator, classes):
    embedding = torch.randn(20, 4).double().requires_grad_()
    labels, weight = torch.randint(classes, (20,)), torch.rand(20).double()
    options = {"temperature": 0.2, "denominator": denominator}
    found = nt_xent_from_labels(embedding, labels, reduction="none", **options)
    expected = plain(embedding, labels, **options)
    assert torch.allclose(found, expected)
    gradients = [torch.autograd.grad((x * weight).sum(), embedding)[0] for x in (found, expected)]
    assert torch.allclose(*gradients)


def test_more_than_one_tile_agrees_with_the_unlabelled_loss():
    left, right = torch.randn(2, 600, 4, dtype=torch.float64)
    labels = torch.arange(600).repeat(2)
    for denominator in ("negatives", "all"):  # with one positive each they are the same
        found = nt_xent_from_labels(torch.cat([left, right]), labels, denominator=denominator)
        assert torch.allclose(found, nt_xent(left, right), rtol=1e-12)


def test_nobody_belongs_together():
    embedding = torch.randn(3, 2, requires_grad=True)
    value = nt_xent_from_labels(embedding, torch.arange(3))
    assert value == 0 and torch.equal(torch.autograd.grad(value, embedding)[0], torch.zeros(3, 2))


def test_messages():
    with pytest.raises(ShapeError, match=r"one label per row, got \(3, 2\) and \(3, 1\); try labels.flatten\(\)"):
        nt_xent_from_labels(torch.zeros(3, 2), torch.zeros(3, 1, dtype=torch.long))
