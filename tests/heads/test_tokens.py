import math

import pytest
import torch
from torch import nn

from _unchecked import unchecked
from evenkeel import heads, losses, metrics
from evenkeel.errors import RequestError
from evenkeel.network import Network
from heads._cases import frequencies, plain_loss


def base_rate(loss, target):
    """Of predicting the frequencies, from features that say nothing."""
    words, share = target.flatten(), frequencies(target).clamp(min=1e-30)  # a word that never came
    return plain_loss(loss, torch.ones(len(words), 1), share.log()[:, None], words, bias=torch.zeros(len(share)))


TEXT = torch.tensor([[1, 2, 0, 4], [3, 3, -100, 1]])


def test_the_loss_is_cross_entropy_of_the_logits_that_it_never_holds():
    head = heads.Tokens(6, vocabulary=5, options={"label_smoothing": 0.1})
    head.weight.data.normal_()
    head.bias.data.normal_()
    output = head(torch.randn(2, 4, 6))
    logits = head.logits(output, positions="all")
    assert logits.shape == (2, 4, 5)
    expected = losses.cross_entropy(logits, TEXT, label_smoothing=0.1)
    torch.testing.assert_close(head.loss(output, TEXT), expected)
    each = losses.cross_entropy(logits, TEXT, label_smoothing=0.1, reduction="none")
    rows = torch.stack([each[0].mean(), each[1].sum() / 3])
    torch.testing.assert_close(head.example_loss(output, TEXT), rows)
    weight = torch.tensor([0.5, 1.5])
    torch.testing.assert_close(head.loss(output, TEXT, weight), (each * weight[:, None]).sum() / 7)


def test_no_tensor_of_all_logits_is_made_while_training():
    head = heads.Tokens(4, vocabulary=1000)
    features = torch.randn(600, 4, requires_grad=True)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as seen:
        head.loss(head(features), torch.randint(1000, (600,))).backward()
    largest = max(event.cpu_memory_usage for event in seen.events())
    assert 0 < largest < 600 * 1000 * 4


def test_one_position_a_row():
    head = heads.Tokens(6, vocabulary=5)
    head.weight.data.normal_()
    output, target = head(torch.randn(3, 6)), torch.tensor([0, 4, 2])
    logits = head.logits(output)
    torch.testing.assert_close(head.loss(output, target), losses.cross_entropy(logits, target))
    torch.testing.assert_close(
        head.example_loss(output, target), losses.cross_entropy(logits, target, reduction="none")
    )
    assert torch.equal(head.predict(output), logits.argmax(-1))
    torch.testing.assert_close(
        head.loss(output, target, torch.tensor([3.0, 0.0, 0.0])), head.example_loss(output, target)[0]
    )


def test_the_last_position_is_predicted():
    head = heads.Tokens(6, vocabulary=5)
    head.weight.data.normal_()
    output = head(torch.randn(2, 4, 6))
    every = head.logits(output, positions="all")
    torch.testing.assert_close(head.logits(output), every[:, -1])
    torch.testing.assert_close(head.probability(output), every[:, -1].softmax(-1))
    assert torch.equal(head.predict(output), every[:, -1].argmax(-1))
    assert torch.equal(head.sample(output, temperature=0), head.predict(output))
    drawn = [head.sample(output, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1)]
    assert torch.equal(*drawn) and drawn[0].shape == (2,)


@pytest.mark.parametrize("tied", [False, True])
def test_the_first_loss_knows_nothing_but_frequencies(tied):
    embedding = nn.Embedding(50, 16) if tied else None
    head = heads.Tokens(16, vocabulary=50, tied=embedding)
    output, target = head(torch.randn(100, 8, 16)), torch.randint(50, (100, 8)) ** 2 // 50
    assert head.loss(output, target).item() == pytest.approx(math.log(50), rel=0.01)
    head.start(target)
    share = torch.bincount(target.flatten(), minlength=50).double() / target.numel()
    entropy = -(share * share.clamp(min=1e-9).log()).sum().item()
    assert head.loss(output, target).item() == pytest.approx(entropy, rel=0.02)


def test_tokens_that_never_come_are_rare_and_weights_count_rows():
    head = heads.Tokens(4, vocabulary=4)
    head.start(torch.tensor([[0, 0, -100], [1, 1, 1]]), torch.tensor([1.0, 2.0]))
    torch.testing.assert_close(head.bias.detach().exp(), torch.tensor([2.0, 6.0, 0.5, 0.5]) / 9)


def test_tied_weights_are_one_parameter_that_both_sides_train():
    embedding = nn.Embedding(7, 4)
    head = heads.Tokens(4, vocabulary=7, tied=embedding)
    assert head.weight is embedding.weight and head.factor is not None
    network = Network(embedding, head)
    assert len(list(network.parameters())) == 3
    network.loss(torch.tensor([[0, 1]]), torch.tensor([[1, 2]])).backward()
    assert embedding.weight.grad[3:].abs().sum() > 0, "as outputs, all tokens get a gradient"
    with pytest.raises(
        RequestError, match=r"must be \(7, 5\), vocabulary and features, got \(7, 4\); try nn.Embedding"
    ):
        heads.Tokens(5, vocabulary=7, tied=embedding)


@pytest.mark.parametrize("tied", [False, True])
def test_a_chain_of_tokens_is_learned(tied):
    """The next token is 3 t + 1 modulo 11: a network that reads one token must come to certainty."""
    text = [torch.randint(11, (64,))]
    for _ in range(6):
        text.append((3 * text[-1] + 1) % 11)
    text = torch.stack(text, 1)
    embedding = nn.Embedding(11, 16)
    net = nn.Sequential(embedding, nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 16))
    network = Network(net, heads.Tokens(16, vocabulary=11, tied=embedding if tied else None))
    network.head.start(text[:, 1:])
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(80):
        optimizer.zero_grad()
        network.loss(text[:, :-1], text[:, 1:]).backward()
        optimizer.step()
    assert torch.equal(network.predict(text[:, :-1]), text[:, -1])
    logs = network.head.log_probability(network.output(text[:, :-1]), text[:, 1:])
    assert metrics.perplexity(logs, text[:, 1:]) < 1.2


def test_log_probabilities_are_those_of_the_logits_without_smoothing():
    head = heads.Tokens(6, vocabulary=5, options={"label_smoothing": 0.3})
    head.weight.data.normal_()
    output = head(torch.randn(2, 4, 6))
    logs = head.log_probability(output, TEXT)
    every = head.logits(output, positions="all").log_softmax(-1)
    expected = every.gather(-1, TEXT.clamp(min=0).unsqueeze(-1)).squeeze(-1).masked_fill(TEXT < 0, 0.0)
    torch.testing.assert_close(logs, expected.detach())
    assert not logs.requires_grad


def test_it_has_no_distribution_and_another_loss_is_refused():
    head = heads.Tokens(4, vocabulary=5)
    head.calibrate(torch.zeros(2, 4), torch.zeros(2).long())
    assert head.distribution(torch.zeros(2, 4)) is None
    with unchecked(), pytest.raises(RequestError, match="losses that fit: linear_cross_entropy"):
        heads.Tokens(4, vocabulary=5, loss="cross_entropy")
