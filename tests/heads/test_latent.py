import math

import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence
from torch.nn import functional

from evenkeel import heads, losses, metrics
from evenkeel.errors import DataError, RequestError, ShapeError
from evenkeel.heads.decoded import SCALED, TWO_PARTS
from evenkeel.network import Network
from heads._cases import DECODED_CLASSES, decoded_kind, plain_loss, standardised


def base_rate(loss, target):
    """Of a decoder that gives 0, added up over the columns: the sum is what one example loses."""
    kind = decoded_kind(loss)
    truth = standardised(target) if kind in SCALED else target
    shape = (*target.shape, DECODED_CLASSES) if kind == "logits" else target.shape
    parts = [torch.zeros(shape)] * (2 if kind in TWO_PARTS else 1)
    return target.shape[1] * plain_loss(loss, *parts, truth)


def head_for(loss="mse", decoder=None, **options):
    return heads.Latent(8, units=2, decoder=decoder or nn.Linear(2, 3), loss=loss, **options)


def test_the_output_is_mean_and_log_variance():
    head, output = head_for(), torch.tensor([[1.0, 2.0, 3.0, 4.0]])
    mean, log_variance = head.code(output)
    assert mean.tolist() == [[1, 2]] and log_variance.tolist() == [[3, 4]]
    assert head.code(torch.full((1, 4), 1e6))[1].max() < 100, "no variance overflows"


def test_the_loss_is_reconstruction_and_beta_times_kl():
    head = head_for(beta=3.0).eval()
    output, target = torch.randn(5, 4), torch.randn(5, 3)
    squared = ((head.decoder(output[:, :2]) - target) ** 2).sum(1)
    code = Normal(output[:, :2], (output[:, 2:] / 2).exp())
    kl = kl_divergence(code, Normal(torch.zeros(5, 2), torch.ones(5, 2))).sum(1)
    torch.testing.assert_close(head.example_loss(output, target), squared + 3 * kl)
    torch.testing.assert_close(head.loss(output, target), (squared + 3 * kl).mean())
    torch.testing.assert_close(head.reconstruction(output, target), squared)
    torch.testing.assert_close(head.divergence(output), kl)
    assert metrics.kl(output) == pytest.approx(kl.mean().item(), rel=1e-5)


def test_a_code_is_drawn_while_training_and_is_its_mean_when_predicting():
    head, output = head_for(), torch.tensor([[1.0, -2.0, 0.0, 2 * math.log(3)]]).expand(40000, 4)
    drawn = head.draw(output)
    assert drawn.mean(0).tolist() == pytest.approx([1, -2], abs=0.06)
    assert drawn.std(0).tolist() == pytest.approx([1, 3], rel=0.02)
    head.eval()
    assert torch.equal(head.draw(output), output[:, :2])
    few = output[:3]
    assert torch.equal(head.loss(few, torch.zeros(3, 3)), head.loss(few, torch.zeros(3, 3)))


def test_the_gradient_of_a_drawn_code_reaches_mean_and_variance():
    output = torch.randn(6, 4, requires_grad=True)
    head_for(beta=0).loss(output, torch.randn(6, 3)).backward()
    assert (output.grad != 0).all()


def test_free_bits_leave_a_small_divergence_alone():
    output = torch.zeros(5, 4, requires_grad=True)
    head = head_for(free_bits=0.5, beta=1.0)
    assert head.divergence(output).tolist() == [1.0] * 5
    head.divergence(output).sum().backward()
    assert output.grad.abs().sum() == 0


@pytest.mark.parametrize(
    ("loss", "shape", "target"),
    [
        ("mse", (3,), torch.randn(5, 3)),
        ("gaussian_nll", (3, 2), torch.randn(5, 3)),
        ("binary_cross_entropy", (3,), torch.rand(5, 3)),
        ("focal", (3,), torch.rand(5, 3).round()),
        ("cross_entropy", (3, 4), torch.randint(4, (5, 3))),
        ("poisson_nll", (3,), torch.randint(4, (5, 3)).float()),
        ("gamma_nll", (3, 2), torch.rand(5, 3) + 0.1),
    ],
)
def test_every_loss_of_a_decoder(loss, shape, target):
    decoder = nn.Sequential(nn.Linear(2, math.prod(shape)), nn.Unflatten(1, shape))
    head = head_for(loss, decoder).eval()
    output = torch.randn(5, 4)
    decoded = decoder(output[:, :2])
    parts = decoded.unbind(-1) if loss in ("gaussian_nll", "gamma_nll") else (decoded,)
    expected = losses.PARTS[loss].call(*parts, target, reduction="none").sum(1)
    torch.testing.assert_close(head.reconstruction(output, target), expected)
    predicted = head.predict(output)
    assert predicted.shape == target.shape and predicted.isfinite().all()
    assert (head.probability(output) is not None) == (loss in ("binary_cross_entropy", "focal", "cross_entropy"))
    assert head.sample(6).shape == (6, 3)


def test_values_are_standardised_after_a_start_and_predicted_in_their_units():
    head = head_for().eval()
    target = 1000 + 50 * torch.randn(200, 3)
    head.start(target)
    assert head.center.item() == pytest.approx(target.mean().item())
    assert head.spread.item() == pytest.approx(target.std(correction=0).item(), rel=1e-5)
    output = torch.zeros(200, 4)
    expected = head.decoder(torch.zeros(1, 2)) * head.spread + head.center
    torch.testing.assert_close(head.predict(output), expected.float().expand(200, 3))
    each = ((head.decoder(torch.zeros(1, 2)) - (target - head.center) / head.spread) ** 2).sum(1)
    torch.testing.assert_close(head.reconstruction(output, target), each.float(), rtol=1e-4, atol=1e-4)


def test_a_weighted_start_counts_rows():
    head = head_for()
    head.start(torch.tensor([[0.0, 0.0, 0.0], [3.0, 3.0, 3.0]]), torch.tensor([2.0, 1.0]))
    assert head.center.item() == pytest.approx(1)
    logits = head_for("binary_cross_entropy")
    logits.start(torch.rand(4, 3))
    assert logits.center == 0 and logits.spread == 1, "what has no unit is not scaled"


def test_a_loss_of_ones_own_is_added_to_the_divergence():
    head = heads.Latent(8, units=2, decoder=nn.Linear(2, 3), loss=nn.L1Loss(), beta=2.0).eval()
    output, target = torch.randn(5, 4), torch.randn(5, 3)
    expected = functional.l1_loss(head.decoder(output[:, :2]), target) + 2 * head.divergence(output).mean()
    torch.testing.assert_close(head.loss(output, target), expected)


def test_samples_follow_their_generator_and_leave_the_mode_alone():
    head = head_for(decoder=nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.5)))
    first, again = (head.sample(4, generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, again) and not first.requires_grad and head.decoder.training
    assert head.sample(0).shape == (0, 3)
    many = head.sample(20000)
    weight = head.decoder[0].weight
    torch.testing.assert_close(many.var(0), (weight**2).sum(1), rtol=0.1, atol=0.01)


def test_between_two_codes_lies_a_straight_line():
    head = head_for().eval()
    a, b = torch.tensor([0.0, 0.0]), torch.tensor([2.0, -4.0])
    found = head.interpolate(a, b, 5)
    assert found.shape == (5, 3)
    torch.testing.assert_close(found[0], head.decode(a))
    torch.testing.assert_close(found[-1], head.decode(b))
    torch.testing.assert_close(found[2], head.decode(torch.tensor([1.0, -2.0])))
    assert head.interpolate(torch.zeros(4, 2), torch.ones(4, 2), 3).shape == (3, 4, 3)
    with pytest.raises(RequestError, match="2 steps or more, its ends, got 1; try steps=8"):
        head.interpolate(a, b, 1)
    with pytest.raises(ShapeError, match=r"a code must be \(..., 2\), got \(5,\); try head.code\(output\)\[0\]"):
        head.decode(torch.zeros(5))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beta": -1.0}, "beta and free_bits must be 0 or more, got -1 and 0"),
        ({"free_bits": -0.5}, "got 1 and -0.5; try beta=1.0"),
        (
            {"loss": "binary_cross_entropy", "decoder": nn.Sequential(nn.Linear(2, 3), nn.Sigmoid())},
            "the model ends in sigmoid, and loss 'binary_cross_entropy' expects binary-logits",
        ),
        ({"loss": nn.NLLLoss()}, "NLLLoss expects log-probability"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(RequestError, match=message):
        head_for(**options)


class Functional(nn.Module):
    """A decoder whose sigmoid no structure shows."""

    def __init__(self):
        super().__init__()
        self.map, self.other = nn.Linear(2, 3), nn.Linear(2, 3)

    def forward(self, code):
        return torch.sigmoid(self.map(code))


def test_a_functional_sigmoid_and_a_wrong_target_are_refused_before_the_first_step():
    with pytest.raises(RequestError, match="the output ends in sigmoid"):
        head_for("binary_cross_entropy", Functional()).loss(torch.randn(5, 4), torch.rand(5, 3))
    with pytest.raises(DataError, match=r"needs targets 0..1, got 0..255; try target / 255"):
        head_for("binary_cross_entropy").loss(torch.randn(1, 4), torch.tensor([[0.0, 255.0, 3.0]]))


def test_a_line_in_space_is_found():
    """Points on a curve in five dimensions: one number tells them, the second dimension of the code stays empty."""
    place = torch.randn(256, 1)
    x = torch.cat([place, -place, 2 * place, place.tanh(), 0.5 * place], 1) + 0.05 * torch.randn(256, 5)
    decoder = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 5))
    network = Network(nn.Sequential(nn.Linear(5, 32), nn.Tanh()), heads.Latent(32, units=2, decoder=decoder, beta=0.3))
    network.head.start(x)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(250):
        optimizer.zero_grad()
        network.loss(x, x).backward()
        optimizer.step()
    network.eval()
    assert metrics.reconstruction(network.predict(x), x) < 0.15 * x.var()
    assert metrics.active_units(network.output(x)) == 1
    made = network.head.sample(500)
    assert made.std(0).tolist() == pytest.approx(x.std(0).tolist(), rel=0.35)


def test_it_has_no_distribution():
    head = head_for()
    head.calibrate(torch.zeros(2, 4), torch.zeros(2, 3))
    assert head.distribution(torch.zeros(2, 4)) is None


def test_the_bound_draws_codes_in_any_mode_and_leaves_the_mode_alone():
    """For a linear decoder and squared error: E|Wz + b - y|² = |W m + b - y|² + Σ_j s_j |W_j|²."""
    head = head_for(beta=3.0, free_bits=1.0).eval()
    output, target = torch.randn(4, 4), torch.randn(4, 3)
    variance = output[:, 2:].exp()
    squared = ((head.decoder(output[:, :2]) - target) ** 2).sum(1) + (
        variance * head.decoder.weight.square().sum(0)
    ).sum(1)
    code = Normal(output[:, :2], (output[:, 2:] / 2).exp())
    kl = kl_divergence(code, Normal(torch.zeros(4, 2), torch.ones(4, 2))).sum(1)
    found = head.elbo(output, target, draws=4000)
    torch.testing.assert_close(found, -squared - kl, rtol=0.1, atol=0.1)
    assert not head.training and (found < -head.reconstruction(output, target) - kl).all(), "the mean's is too good"
    with pytest.raises(RequestError, match="1 or more, got draws=0"):
        head.elbo(output, target, draws=0)
