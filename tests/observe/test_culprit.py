import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from evenkeel.chain.record.call import called
from evenkeel.observe.culprit import find_backward_culprit, find_culprit
from observe._loops import small


class Step(nn.Module):
    def __init__(self, call) -> None:
        super().__init__()
        self.call = call

    def forward(self, x):
        return self.call(x)


def between(call) -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), Step(call), nn.Linear(8, 1))


def asked(model, *given, loss=None, **named):
    call = called((given, named))
    output = model(*given, **named)
    value = None if loss is None else loss(output)
    return find_culprit(model, call, value)


@pytest.mark.parametrize(
    ("call", "operation"),
    [
        (torch.log, "log"),
        (lambda x: x / (x * 0), "div"),
        (lambda x: (x + 100).exp(), "exp"),
        (lambda x: (x - 100).sqrt(), "sqrt"),
        (lambda x: (x * 0).reciprocal(), "reciprocal"),
    ],
)
def test_the_operation_that_made_it(call, operation):
    found = asked(between(call), torch.randn(12, 6))
    assert (found.where, found.operation, found.direction) == ("2", operation, "forward")


def test_nothing_where_all_is_finite():
    assert asked(small(), torch.randn(12, 6), loss=torch.mean) is None


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_the_batch(value):
    x = torch.randn(12, 6)
    x[3, 1] = value
    found = asked(small(), x)
    assert (found.where, found.direction) == ("the batch", "data")


def test_the_weights_and_the_buffers():
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))
    with torch.no_grad():
        model[1].running_var[2] = torch.nan
    found = asked(model, torch.randn(12, 6))
    assert (found.where, found.operation, found.direction) == ("1.running_var", "running average", "weights")
    with torch.no_grad():
        model[0].bias[1] = torch.inf
    found = asked(model, torch.randn(12, 6))
    assert (found.where, found.operation, found.direction) == ("0.bias", "update", "weights")


@pytest.mark.parametrize(
    ("loss", "operation"),
    [
        (lambda output: torch.log(output * 0).mean(), "log"),
        (lambda output: (output / (output * 0)).mean(), "div"),
        (lambda output: output.mean() * torch.nan, "mul"),
    ],
)
def test_the_loss_itself(loss, operation):
    found = asked(small(), torch.randn(12, 6), loss=loss)
    assert (found.where, found.operation, found.direction) == ("the loss", operation, "forward")


class Attention(nn.Module):
    """Attention that hides what lies ahead with -inf, made in one of the usual ways."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.queries, self.last = nn.Linear(6, 6), nn.Linear(6, 1)
        self.register_buffer("mask", torch.full((5, 5), -torch.inf).triu(1))

    def forward(self, x, mask=None):
        x = self.queries(x)
        scores = x @ x.transpose(-1, -2)
        ahead = torch.ones(5, 5).triu(1)
        if self.how == "buffer":
            scores = scores + self.mask
        elif self.how == "given":
            scores = scores + mask
        elif self.how == "fill":
            scores = scores.masked_fill(ahead.bool(), -torch.inf)
        else:
            scores = scores + (1 - ahead).log()
        return self.last(scores.softmax(-1) @ x)


@pytest.mark.parametrize("how", ["buffer", "given", "fill", "log"])
def test_a_mask_is_no_culprit(how):
    model, x = Attention(how), torch.randn(3, 5, 6)
    named = {"mask": model.mask} if how == "given" else {}
    assert asked(model, x, **named) is None
    found = asked(model, x, loss=lambda output: (output * 0).log().mean(), **named)
    assert (found.where, found.operation) == ("the loss", "log")


def test_a_mask_that_hides_everything_is_one():
    model, x = Attention("given"), torch.randn(3, 5, 6)
    mask = torch.zeros(5, 5)
    mask[2] = -torch.inf
    found = asked(model, x, mask=mask)
    assert found.operation == "_softmax" and found.direction == "forward"


def test_torch_own_transformer_with_its_mask():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    mask = nn.Transformer.generate_square_subsequent_mask(5)
    assert asked(layer, torch.randn(3, 5, 8), src_mask=mask) is None


def test_the_same_random_numbers_are_drawn_again():
    class Sometimes(nn.Module):
        """Fails where the random draw says so."""

        def forward(self, x):
            return x / (torch.rand(()) - 0.5).clamp(min=0)

    model, met = nn.Sequential(nn.Linear(6, 4), Sometimes()), {True: 0, False: 0}
    for seed in range(12):
        torch.manual_seed(seed)
        call = called(((torch.randn(3, 6),), {}))
        broken = not bool(torch.isfinite(model(*call.arguments[0])).all())
        torch.manual_seed(1000 + seed)
        state = torch.get_rng_state()
        assert (find_culprit(model, call) is not None) is broken
        assert torch.equal(torch.get_rng_state(), state)
        met[broken] += 1
    assert min(met.values()) > 1


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), Step(torch.log))
    model(torch.randn(12, 6)).sum().backward()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    gradient = model[0].weight.grad
    assert asked(model, torch.randn(12, 6)).operation == "log"
    model[1].num_batches_tracked -= 1  # by the pass in `asked` itself
    after = model.state_dict()
    assert model[0].weight.grad is gradient
    assert [name for name in before if "running" not in name and not torch.equal(before[name], after[name])] == []


def test_autocast_is_that_of_the_pass():
    model = nn.Sequential(nn.Linear(4, 4), Step(lambda x: x * 3e4 * 3e4), Step(torch.Tensor.float))
    x = torch.ones(2, 4)
    with torch.autocast("cpu", torch.float16):
        call = called(((x,), {}))
        broken = not bool(torch.isfinite(model(x)).all())
    found = find_culprit(model, call)
    assert broken and found is not None and (found.where, found.operation) == ("1", "mul")
    assert find_culprit(model, called(((x,), {}))) is None


def backward_of(model, x, loss):
    call = called(((x,), {}))
    output = model(x)
    seen = {}
    output.register_hook(lambda gradient: seen.__setitem__(0, gradient))
    value = loss(output)
    value.backward()
    assert bool(torch.isfinite(value))
    return find_backward_culprit(model, call, seen, value)


def test_a_backward_pass_that_divides_by_zero():
    def root(x):
        return torch.where(x > 0, (x * (x > 0)).sqrt(), torch.zeros_like(x))

    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), Step(root), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1))
    found = backward_of(model, torch.randn(12, 6), torch.mean)
    assert (found.where, found.operation, found.direction) == ("2", "sqrt", "backward")


def test_a_backward_pass_of_the_loss():
    model = small()
    found = backward_of(model, torch.randn(12, 6), lambda output: (output * 0).abs().sqrt().mean())
    assert (found.where, found.operation, found.direction) == ("the loss", "sqrt", "backward")


def test_a_sound_backward_pass():
    assert backward_of(small(), torch.randn(12, 6), lambda output: F.softplus(output).mean()) is None
    assert find_backward_culprit(small(), called(((torch.randn(2, 6),), {})), {}) is None
