import pytest
import torch
from torch.nn import functional

from evenkeel.train.engines.recording import NotFixedError, record


def steps(loss_of, parameters, batches, buffers=()):
    """Record the first batch, replay the others; beside each what autograd finds."""
    tape, found = record(loss_of, batches[0], parameters, buffers)
    for batch in batches:
        loss = loss_of(*batch)
        asked = [p for p in parameters if p.requires_grad]
        expected = iter(torch.autograd.grad(loss, asked, allow_unused=True))
        yield found or tape(*batch), (loss.detach(), [next(expected) if p.requires_grad else None for p in parameters])
        found = None


def assert_same(found, expected):
    assert torch.equal(found[0], expected[0])
    for one, other in zip(found[1], expected[1], strict=True):
        assert (one is None) == (other is None)
        assert one is None or (torch.equal(one, other) and not one.requires_grad)


def parameter(*shape):
    return torch.nn.Parameter(torch.randn(*shape))


LOSSES = {
    "a view and its base": lambda x, w, b: (functional.relu(x @ w + b).view(-1)[::2] ** 2).sum() + w[0].sum(),
    "changed in place": lambda x, w, b: ((x @ w + b).mul_(2.0).clamp_(-1.0, 1.0)).mean(),
    "outputs that autograd keeps": lambda x, w, b: (torch.tanh(x @ w).exp() + b).softmax(-1)[:, 0].sum(),
    "several results": lambda x, w, b: sum(part.square().sum() for part in (x @ w + b).unbind(-1)),
    "lists of tensors": lambda x, w, b: torch.stack([x @ w, x @ w + b]).logsumexp(0).mean(),
    "a constant": lambda x, w, b: ((x @ w + b) * torch.tensor([1.0, 2.0, 3.0])).sum(),
    "an infinite number": lambda x, w, b: (x @ w + b).masked_fill(x[:, :1] > 0, float("-inf")).exp().sum(),
    "used twice": lambda x, w, b: (x @ w @ w.T @ w + b).sum(),
    "gradients that are expanded, shared or transposed": lambda x, w, b: (x @ w.T.contiguous().T).sum() + b.sum(),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_replay_is_autograd_to_the_last_bit(name):
    weight, bias = parameter(4, 3), parameter(3)
    batches = [[torch.randn(6, 4)] for _ in range(4)]
    for found, expected in steps(lambda x: LOSSES[name](x, weight, bias), [weight, bias], batches):
        assert_same(found, expected)
        assert [g.stride() for g in found[1]] == [weight.stride(), bias.stride()]


def test_a_replay_uses_the_weights_of_now():
    weight = parameter(3)
    tape, _ = record(lambda x: (x * weight).sum() ** 2, [torch.ones(3)], [weight], [])
    with torch.no_grad():
        weight.copy_(torch.tensor([1.0, 2.0, 3.0]))
    loss, gradients = tape(torch.tensor([1.0, 0.0, 1.0]))
    assert loss == 16 and gradients[0].tolist() == [8.0, 0.0, 8.0]


def test_a_replay_draws_the_same_random_numbers():
    weight, x = parameter(50), torch.randn(50)
    tape, _ = record(lambda x: functional.dropout(x * weight, 0.5).sum(), [x], [weight], [])
    torch.manual_seed(3)
    first, second, after = tape(x), tape(x), torch.rand(1)
    torch.manual_seed(3)
    again = functional.dropout(x * weight, 0.5).sum()
    functional.dropout(x * weight, 0.5)
    assert torch.equal(first[0], again) and not torch.equal(first[0], second[0])
    assert torch.equal(after, torch.rand(1))


def test_a_replay_moves_buffers_as_the_step_does():
    norm, twin = torch.nn.BatchNorm1d(3), torch.nn.BatchNorm1d(3)
    batches = [torch.randn(8, 3) for _ in range(3)]
    tape, _ = record(lambda x: norm(x).pow(3).sum(), [batches[0]], list(norm.parameters()), norm.buffers())
    tape(batches[1]), tape(batches[2])
    for batch in batches:
        twin(batch)
    assert all(torch.equal(norm.state_dict()[name], value) for name, value in twin.state_dict().items())
    assert norm.num_batches_tracked == 3


def test_gradients_are_new_each_time_and_share_no_memory():
    left, right, idle, frozen = parameter(3), parameter(3), parameter(2), parameter(3).requires_grad_(False)
    tape, found = record(
        lambda x: ((left + right + frozen) * x).sum(), [torch.ones(3)], [left, right, idle, frozen], []
    )
    for _, gradients in (found, tape(torch.ones(3)), tape(torch.ones(3))):
        assert gradients[2] is None and gradients[3] is None
        gradients[0].mul_(7.0)
        assert gradients[1].tolist() == [1.0, 1.0, 1.0]


def test_what_is_not_needed_any_more_is_let_go():
    weight = parameter(4, 4)
    tape, _ = record(lambda x: (x @ weight @ weight).tanh().sum(), [torch.randn(4, 4)], [weight], [])
    made = {word for word in tape.source.replace(",", " ").split() if word.startswith("t") and "_" in word}
    dropped = {word.strip(",") for line in tape.source.splitlines() if "del " in line for word in line.split()[1:]}
    kept = {word.strip("[],") for word in tape.source.splitlines()[-1].split()[1:]}
    assert dropped and not dropped & kept and {name.strip(",()[]") for name in made} >= dropped


@pytest.mark.parametrize(
    "loss_of, message",
    [
        (lambda x, w: (x * w).sum() * float(x.sum()), "_local_scalar_dense.default depends on values"),
        (lambda x, w: (x * w)[x > 0].sum(), "depends on values"),
        (lambda x, w: (torch.from_numpy(x.numpy()).add_(1.0) * w).sum(), "changes a tensor that the step did not make"),
        (lambda x, w: (torch.tensor([1.0, 2.0, 3.0]).add_(x) * w).sum(), "changes a tensor that the step did not make"),
    ],
)
def test_what_cannot_be_repeated_is_refused(loss_of, message):
    weight = parameter(3)
    with pytest.raises(NotFixedError, match=message):
        record(lambda x: loss_of(x, weight), [torch.randn(3)], [weight], [])


def test_reading_a_value_on_the_way_back_is_refused_too():
    class Reads(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, gradient):
            return gradient * float(gradient.sum())

    weight = parameter(3)
    with pytest.raises(NotFixedError, match="depends on values"):
        record(lambda x: Reads.apply(x * weight).sum(), [torch.randn(3)], [weight], [])


def test_two_inputs_that_are_one_tensor_are_refused():
    weight, x = parameter(3), torch.randn(3)
    with pytest.raises(NotFixedError, match="two inputs are one tensor"):
        record(lambda x, y: (x * y * weight).sum(), [x, x], [weight], [])
