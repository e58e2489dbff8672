from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from evenkeel.symptoms import collapsed_output
from evenkeel.symptoms.history import Start
from symptoms._made import chain, falling, flat, history, link, look, parameter
from symptoms._runs import adam, blobs, cross_entropy, digits, line, mlp, mse, run


class Pairs(nn.Module):
    """Both sides of a pair by one net: (batch, 2, 64) to (batch, 2, 16)."""

    def __init__(self):
        super().__init__()
        self.tower = mlp([64, 64, 16])

    def forward(self, x):
        return self.tower(x)


def pairs(kind):
    """Two digits, of the same class where the target is 1: all of them, or every other."""
    batches = []
    for x, y in digits():
        order = y.argsort()
        left, right = x[order], x[order].roll(1, 0)
        same = torch.ones(len(x))
        if kind == "half the same":
            right = torch.where((torch.arange(len(x)) % 2 == 0)[:, None], right, x[order].roll(len(x) // 2, 0))
            same = (torch.arange(len(x)) % 2 == 0).float()
        batches.append((torch.stack([left, right], 1), same))
    return batches


def pull(output, same):
    """Siamese contrastive, margin 1."""
    distance = (output[:, 0] - output[:, 1]).square().sum(1).add(1e-12).sqrt()
    return (same * distance.square() + (1 - same) * (1 - distance).clamp_min(0).square()).mean()


def pull_cosine(output, same):
    """1 - cosine of the two sides, of the same class all of them."""
    return (1 - functional.cosine_similarity(output[:, 0], output[:, 1])).mean()


def ended(before, after, **numbers):
    """An output of 8 units with these similarities at step 1 and at step 32."""
    first = chain(link("0"), link("head", similarity=before), known_loss=numbers.pop("known_loss", None))
    last = chain(link("0"), link("head", similarity=after, forward_rms=numbers.pop("forward_rms", 1.0)))
    return history(look(1, first), look(32, last, parameters=numbers.pop("parameters", ())), **numbers)


@pytest.mark.parametrize("loss", [pull, pull_cosine])
def test_a_pull_without_a_push_collapses_while_its_loss_falls(loss):
    model = Pairs()
    found = collapsed_output(run(model, loss, pairs("same"), adam(model, 1e-2), 100))
    assert [each.cause for each in found] == ["loss-choice"]
    assert found[0].severity != "note" and found[0].evidence["loss"] < 0.1 * found[0].evidence["first_loss"]


@pytest.mark.parametrize(
    ("make", "loss", "batches"),
    [
        (Pairs, pull, lambda: pairs("half the same")),
        (lambda: mlp([2, 32, 3]), cross_entropy, blobs),
        (lambda: mlp([4, 32, 1]), mse, lambda: line(offset=3)),
        (lambda: mlp([4, 32, 4]), mse, lambda: [(x, x + 20) for x, _ in line()]),
    ],
    ids=["with negatives", "classes", "one value", "values far off zero"],
)
def test_is_silent_on_a_sound_network(make, loss, batches):
    model = make()
    assert collapsed_output(run(model, loss, batches(), adam(model, 1e-2), 100)) == ()


def test_a_raw_target_leaves_a_variance_head_one_answer():
    model = mlp([4, 32, 2])
    batches = line(offset=22, spread=9)

    def gaussian(output, target):
        return functional.gaussian_nll_loss(output[:, :1], target, output[:, 1:].exp())

    seen = run(model, gaussian, batches, adam(model, 1e-2), 100)
    assert collapsed_output(seen) == ()
    start = Start(loss=300.0, target_mean=22.0, target_spread=9.0)
    (found,) = collapsed_output(replace(seen, losses=history(losses=flat()).losses, start=start))
    assert (found.severity, found.cause) == ("critical", "target-scale")
    assert found.sentence.endswith("; the target is 22 in size, and reaching it leaves no room for more.")


def test_says_that_the_loss_is_content():
    (found,) = collapsed_output(ended(0.4, 0.9996, known_loss=0.0))
    assert (found.severity, found.where, found.cause) == ("warning", "head", "loss-choice")
    assert found.sentence == (
        "The outputs of different inputs have become alike: mean cosine above 0.999 at step 32, 0.40 at step 1; "
        "the loss is content with that, nothing in it holds them apart."
    )


def test_says_what_a_step_did():
    large = (parameter(update_rms=0.7, weight_rms=0.35),)
    (found,) = collapsed_output(ended(0.4, 0.995, losses=flat(), parameters=large))
    assert (found.severity, found.cause) == ("critical", "learning-rate")
    assert found.sentence == (
        "The outputs of different inputs have become alike: mean cosine 0.995 at step 32, 0.40 at step 1; "
        "a step changed a parameter by 200 % of its size."
    )


def test_without_a_reason_none_is_named():
    (found,) = collapsed_output(ended(0.4, 0.995, losses=flat()))
    assert found.cause is None
    assert found.sentence.endswith("and the loss is no better for it.")


@pytest.mark.parametrize(
    "seen",
    [
        ended(0.4, 0.98, losses=flat()),
        ended(0.995, 0.999, losses=flat()),
        ended(0.4, 0.999, losses=[1 + loss for loss in falling()]),
        ended(0.4, 0.999, forward_rms=30.0),
        ended(None, 0.999, losses=flat()),
    ],
    ids=["not alike", "alike from the first", "a loss that is not content", "far off zero", "unknown"],
)
def test_is_silent_on_what_is_no_collapse(seen):
    assert collapsed_output(seen) == ()
