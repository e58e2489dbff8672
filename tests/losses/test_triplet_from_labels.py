import pytest
import torch

from evenkeel.losses import triplet_from_labels


def plain(embedding, labels, margin=1.0, mining="hard", distance="euclidean"):
    """Triplet by triplet."""
    found = []
    for i, label in enumerate(labels.tolist()):
        if distance == "cosine":
            away = 1 - torch.nn.functional.cosine_similarity(embedding[i : i + 1], embedding)
        else:
            away = torch.stack([torch.linalg.vector_norm(embedding[i] - other) for other in embedding])
        near = [away[j] for j in range(len(labels)) if j != i and labels[j] == label]
        far = [away[j] for j in range(len(labels)) if labels[j] != label]
        pairs = list(_triplets(near, far, mining)) if near and far else []
        gaps = [p - n for p, n in pairs]
        values = [torch.nn.functional.softplus(g) if margin == "soft" else (g + margin).clamp(min=0) for g in gaps]
        found.append(torch.stack(values).mean() if values else 0 * embedding.sum())
    return torch.stack(found) if found else embedding.sum(1)


def _triplets(near, far, mining):
    if mining == "all":
        yield from ((p, n) for p in near for n in far)
    elif mining == "hard":
        yield max(near), min(far)
    else:
        for p in near:
            farther = [n for n in far if n > p]
            yield p, min(farther) if farther else max(far)


@pytest.mark.parametrize("mining", ["all", "hard", "semi-hard"])
@pytest.mark.parametrize("margin", [0.5, "soft"])
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
@pytest.mark.parametrize("classes", [1, 2, 8])
def test_value_and_gradient_agree_triplet_by_triplet(mining, margin, distance, classes):
    embedding = torch.randn(12, 3).double().requires_grad_()
    labels, weight = torch.randint(classes, (12,)), torch.rand(12).double()
    options = {"mining": mining, "margin": margin, "distance": distance}
    found = triplet_from_labels(embedding, labels, reduction="none", **options)
    expected = plain(embedding, labels, **options)
    assert torch.allclose(found, expected)
    gradients = [torch.autograd.grad((x * weight).sum(), embedding)[0] for x in (found, expected)]
    assert torch.allclose(*gradients)


@pytest.mark.parametrize("mining", ["all", "hard", "semi-hard"])
def test_nobody_to_compare_with_is_zero(mining):
    embedding = torch.randn(3, 2, requires_grad=True)
    value = triplet_from_labels(embedding, torch.arange(3), mining=mining)
    assert value == 0 and torch.equal(torch.autograd.grad(value, embedding)[0], torch.zeros(3, 2))


def test_the_mean_is_over_anchors_that_have_both():
    embedding, labels = torch.randn(5, 2), torch.tensor([0, 0, 1, 1, 2])
    values = triplet_from_labels(embedding, labels, margin=9.0, reduction="none")
    assert values[4] == 0 and torch.allclose(triplet_from_labels(embedding, labels, margin=9.0), values.sum() / 4)


@pytest.mark.parametrize("mining", ["all", "hard", "semi-hard"])
def test_embeddings_that_coincide_have_finite_gradients(mining):
    embedding = torch.ones(4, 2, requires_grad=True)
    value = triplet_from_labels(embedding, torch.tensor([0, 0, 1, 1]), mining=mining)
    assert value == 1 and torch.autograd.grad(value, embedding)[0].isfinite().all()
