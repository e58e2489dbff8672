import math

import pytest
import torch

from evenkeel.nets.attention import Attention, Cache, KeysAndValues, TransformerBlock
from evenkeel.nets.blocks import matched_variance


@torch.no_grad()
def slow(net, x, visible):
    """Query by query and head by head in float64; `visible(i, j)` says whether query i sees key j."""
    batch, steps, width = x.shape
    unit = width // net.heads
    made = x.double() @ net.inward.weight.double().T + net.inward.bias.double()
    query, key, value = made.split(width, dim=-1)
    found = torch.zeros(batch, steps, width, dtype=torch.float64)
    for row in range(batch):
        for head in range(net.heads):
            own = slice(head * unit, (head + 1) * unit)
            for i in range(steps):
                seen = [j for j in range(steps) if visible(i, j)]
                scores = [math.exp(query[row, i, own] @ key[row, j, own] / math.sqrt(unit)) for j in seen]
                mixed = sum(score * value[row, j, own] for score, j in zip(scores, seen, strict=True))
                found[row, i, own] = mixed / sum(scores)
    return found @ net.outward.weight.double().T + net.outward.bias.double()


MASK = torch.tensor([[True, True, False, True, False]]).expand(5, 5)


@pytest.mark.parametrize(
    "sight, visible",
    [(None, lambda i, j: True), ("past", lambda i, j: j <= i), (MASK, lambda i, j: j in (0, 1, 3))],
    ids=["all", "past", "mask"],
)
def test_attention_agrees_with_its_slow_twin(sight, visible):
    net, x = Attention(8, 2, dropout=0.0, share=1.0), torch.randn(2, 5, 8)
    found, known = net(x, sight=sight)
    torch.testing.assert_close(found.double(), slow(net, x, visible), atol=1e-5, rtol=1e-4)
    assert known.keys.shape == known.values.shape == (2, 2, 5, 4)


def test_what_was_known_before_is_seen_and_stays_as_it_is():
    net, x = Attention(8, 2, dropout=0.0, share=1.0), torch.randn(2, 5, 8)
    whole, _ = net(x, sight="past")
    _, before = net(x[:, :4], sight="past")
    kept = before.keys.clone()
    last, known = net(x[:, 4:], before=before)
    torch.testing.assert_close(last, whole[:, 4:])
    assert known.keys.shape[2] == 5 and torch.equal(before.keys, kept)


def test_steps_follow_one_another():
    earlier, later = (KeysAndValues(keys=torch.full((1, 1, n, 2), n), values=torch.zeros(1, 1, n, 2)) for n in (3, 2))
    found = earlier.followed_by(later)
    assert found.keys[0, 0, :, 0].tolist() == [3, 3, 3, 2, 2]
    cache = Cache(blocks=(found,))
    assert (cache.batch, cache.steps) == (1, 5)


@pytest.mark.parametrize("share", [1.0, 0.25])
def test_first_weights_keep_the_variance_and_last_ones_share_it_out(share):
    block = TransformerBlock(64, 2, activation="gelu", norm="layer", dropout=0.0, share=share)
    expected = matched_variance("gelu") * share / 2 / (4 * 64)
    assert block.attention.outward.weight.var().item() == pytest.approx(share / 2 / 64, rel=0.1)
    assert block.narrow.weight.var().item() == pytest.approx(expected, rel=0.1)
    for first in (block.attention.inward, block.widen):
        assert first.weight.var().item() == pytest.approx(1 / 64, rel=0.1)


def test_a_block_is_the_formula_of_the_docstring():
    block, h = TransformerBlock(16, 2, activation="relu", norm="rms", dropout=0.0, share=1.0), torch.randn(2, 5, 16)
    middle = h + block.attention(block.attention_norm(h))[0]
    expected = middle + block.narrow(torch.relu(block.widen(block.layers_norm(middle))))
    torch.testing.assert_close(block(h)[0], expected)


def test_a_block_without_its_branches_is_the_identity():
    block = TransformerBlock(16, 2, activation="gelu", norm="layer", dropout=0.0, share=1.0)
    x = torch.randn(2, 5, 16, requires_grad=True)
    for last in (block.attention.outward, block.narrow):
        torch.nn.init.zeros_(last.weight)
    found, back = block(x)[0], torch.randn(2, 5, 16)
    found.backward(back)
    assert torch.equal(found, x) and torch.equal(x.grad, back)


def test_dropout_silences_its_share_of_both_branches():
    block, x = (
        TransformerBlock(256, 2, activation="relu", norm="layer", dropout=0.3, share=1.0),
        torch.randn(4, 20, 256),
    )
    seen = {}
    for name in ("attention.outward", "narrow"):
        block.get_submodule(name).register_forward_pre_hook(
            lambda module, given, name=name: seen.setdefault(name, []).append((given[0] != 0).float().mean().item())
        )
    block(x)
    block.eval()(x)
    for trained, predicted in seen.values():
        assert trained / predicted == pytest.approx(0.7, abs=0.02)
