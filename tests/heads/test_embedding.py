import pytest
import torch
from torch import nn

from _unchecked import unchecked
from evenkeel import heads, losses, metrics
from evenkeel.errors import RequestError, ShapeError
from evenkeel.network import Network
from heads._cases import plain_loss


def base_rate(loss, target):
    """Of embeddings that are all alike: the logarithm of the candidates, or the margin."""
    record, alike = losses.PARTS[loss], torch.full((len(target), 4), 0.5)
    if "embedding-labels" in record.expects:
        return plain_loss(loss, alike, target)
    if "embedding-triplets" in record.expects:
        return plain_loss(loss, alike, alike, alike)
    if record.takes_target:
        return plain_loss(loss, alike, alike, target.bool())
    return plain_loss(loss, *alike.chunk(2))


LABELS = torch.tensor([0, 0, 1, 1, 2, 2, 2, 0])


def test_the_embedding_has_length_one_unless_it_is_free():
    x = torch.randn(5, 16)
    assert heads.Embedding(16, units=8)(x).norm(dim=-1).allclose(torch.ones(5))
    free = heads.Embedding(16, units=8, length="free")
    torch.testing.assert_close(free(x), free.projection(x))
    assert heads.Embedding(16, units=8)(torch.randn(5, 2, 16)).shape == (5, 2, 8)


def test_projections():
    x = torch.randn(5, 16)
    assert torch.equal(heads.Embedding(16, units=16, projection=None, length="free")(x), x)
    deep = heads.Embedding(16, units=8, projection="mlp")
    assert [type(part).__name__ for part in deep.projection] == ["Linear", "ReLU", "Linear"]
    with pytest.raises(
        RequestError, match="without a projection the embedding has 16 units, got units=8; leave it out"
    ):
        heads.Embedding(16, units=8, projection=None)


def test_options_that_do_not_exist_are_refused():
    with unchecked(), pytest.raises(RequestError, match="'unit' or 'free', got 'long'; try 'unit'"):
        heads.Embedding(16, length="long")
    with unchecked(), pytest.raises(RequestError, match="'linear', 'mlp' or None, got 'deep'; try 'linear'"):
        heads.Embedding(16, projection="deep")


@pytest.mark.parametrize("loss", ["nt_xent_from_labels", "triplet_from_labels"])
def test_labels_say_who_belongs_together(loss):
    head = heads.Embedding(16, units=4, loss=loss)
    output = head(torch.randn(8, 16))
    torch.testing.assert_close(head.loss(output, LABELS), losses.PARTS[loss].call(output, LABELS))
    torch.testing.assert_close(
        head.example_loss(output, LABELS), losses.PARTS[loss].call(output, LABELS, reduction="none")
    )
    assert torch.equal(head.predict(output), output)


def test_views_of_a_row_carry_its_label():
    head = heads.Embedding(16, units=4)
    output = head(torch.randn(8, 2, 16))
    flat = losses.nt_xent_from_labels(output.reshape(16, 4), LABELS.repeat_interleave(2))
    torch.testing.assert_close(head.loss(output, LABELS), flat)
    torch.testing.assert_close(head.example_loss(output, torch.arange(8)).mean(), head.loss(output, torch.arange(8)))


@pytest.mark.parametrize("loss", ["info_nce", "nt_xent"])
def test_pairs_come_as_numbers_as_partners_and_as_views(loss):
    head = heads.Embedding(16, units=4, loss=loss)
    left, right = head(torch.randn(6, 16)), head(torch.randn(6, 16))
    expected = losses.PARTS[loss].call(left, right)
    number = torch.tensor([4, 1, 0, 5, 3, 2])
    both, numbers = torch.cat([left, right]), torch.cat([number, number])
    torch.testing.assert_close(head.loss(both, numbers), expected)
    torch.testing.assert_close(head.loss(left, right), expected)
    views = torch.stack([left, right], 1)
    torch.testing.assert_close(head.loss(views), expected)
    torch.testing.assert_close(head.loss(views, torch.ones(6)), expected)
    torch.testing.assert_close(head.example_loss(both, numbers).mean(), expected)
    weight = torch.tensor([2.0, 0.0, 1.0, 1.0, 1.0, 1.0])
    each = losses.PARTS[loss].call(left, right, reduction="none")
    torch.testing.assert_close(head.loss(left, right, weight), (each * weight).mean())


def test_contrastive_and_triplet_take_views():
    views, same = torch.randn(6, 3, 4), torch.tensor([1, 0, 0, 1, 1, 0])
    pairs = heads.Embedding(4, units=4, loss="contrastive", projection=None, length="free")
    torch.testing.assert_close(
        pairs.loss(views[:, :2], same), losses.contrastive(views[:, 0], views[:, 1], same.float())
    )
    three = heads.Embedding(4, units=4, loss="triplet", projection=None, length="free", options={"margin": 0.3})
    torch.testing.assert_close(three.loss(views, None), losses.triplet(*views.unbind(1), margin=0.3))


def test_weights_do_not_fit_losses_of_labels():
    head = heads.Embedding(4, units=4)
    with pytest.raises(RequestError, match=r"example weights do not fit nt_xent_from_labels.*try loss='info_nce'"):
        head.loss(torch.randn(8, 4), LABELS, torch.ones(8))


def test_the_temperature_can_be_learned():
    head = heads.Embedding(16, units=4, loss="info_nce", learn=("temperature",), options={"temperature": 0.2})
    assert head.loss_name == "info_nce"
    (learned,) = [value for name, value in head.named_parameters() if name.endswith("log_temperature")]
    assert learned.exp().item() == pytest.approx(0.2)
    left, right = head(torch.randn(6, 16)), head(torch.randn(6, 16))
    loss = head.loss(left, right)
    torch.testing.assert_close(loss, losses.info_nce(left, right, temperature=0.2))
    loss.backward()
    assert learned.grad.abs() > 0
    with pytest.raises(RequestError, match="InfoNceLoss has no option 'heat'"):
        heads.Embedding(4, loss="info_nce", learn=("heat",))
    with pytest.raises(RequestError, match="learn needs a loss by name; a loss module learns by itself"):
        heads.Embedding(4, loss=losses.InfoNceLoss(), learn=("temperature",))


def test_two_towers_make_two_views_and_find_each_other():
    """Images and texts: each pair shares a hidden cause, seen through two different maps."""
    cause = torch.randn(64, 6)
    left, right = cause @ torch.randn(6, 10), cause @ torch.randn(6, 12)
    towers = heads.Towers(nn.Linear(10, 16), nn.Linear(12, 16))
    network = Network(towers, heads.Embedding(16, units=8, loss="info_nce", learn=("temperature",)))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    pairs = torch.ones(64)
    for _ in range(60):
        optimizer.zero_grad()
        network.loss((left, right), pairs).backward()
        optimizer.step()
    found = network.predict((left, right))
    assert found.shape == (64, 2, 8)
    nearest = (found[:, 0] @ found[:, 1].T).argmax(1)
    assert (nearest == torch.arange(64)).float().mean() > 0.9


def test_labels_gather_their_rows():
    x = torch.randn(60, 5)
    target = (x[:, 0] > 0).long() + 2 * (x[:, 1] > 0).long()
    network = Network(nn.Sequential(nn.Linear(5, 32), nn.ReLU()), heads.Embedding(32, units=8))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    before = metrics.map_at_r(network.predict(x), target)
    for _ in range(40):
        optimizer.zero_grad()
        network.loss(x, target).backward()
        optimizer.step()
    found = network.predict(x)
    assert metrics.map_at_r(found, target) > before + 0.2 and metrics.recall_at_k(found, target) > 0.9
    assert metrics.alignment(found, target) < 0.5


def test_towers_of_other_sizes_or_numbers_are_refused():
    with pytest.raises(ShapeError, match="2 towers need as many inputs, got 3; try Towers"):
        heads.Towers(nn.Linear(2, 3), nn.Linear(2, 3))(*torch.zeros(3, 4, 2))
    with pytest.raises(ShapeError, match=r"features of one shape, got \(4, 3\), \(4, 5\); try a last nn.Linear"):
        heads.Towers(nn.Linear(2, 3), nn.Linear(2, 5))(*torch.zeros(2, 4, 2))


def test_it_has_neither_probability_nor_distribution():
    head = heads.Embedding(4, units=4)
    head.calibrate(torch.zeros(2, 4), torch.zeros(2))
    assert head.probability(torch.zeros(2, 4)) is None and head.distribution(torch.zeros(2, 4)) is None
