import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from evenkeel.chain.look.echo import EchoLook, form_of
from evenkeel.chain.look.live import LiveLook
from evenkeel.errors import TrainingError


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x):
        return x + self.down(torch.relu(self.up(self.norm(x))))


def residual() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 16), Block(16), Block(16), nn.Linear(16, 2))


def images() -> nn.Module:
    layers = [nn.Conv2d(2, 8, 3), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.Conv2d(8, 8, 3), nn.Tanh(), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(128, 3))


def transformer() -> nn.Module:
    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True, norm_first=True)
    return nn.Sequential(nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), nn.Linear(16, 1))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer, self.head = nn.LSTM(5, 8, batch_first=True), nn.Linear(8, 1)

    def forward(self, x):
        return self.head(self.layer(x)[0][:, -1])


CASES = {
    "residual": (residual, (20, 6)),
    "images": (images, (20, 2, 8, 8)),
    "transformer": (transformer, (6, 7, 16)),
    "recurrent": (Recurrent, (12, 9, 5)),
    "large batch": (residual, (300, 6)),
}

ENDS = {
    "residual": ("1.down", "2.down"),
    "large batch": ("1.down", "2.down"),
    "transformer": (
        *(f"0.layers.{block}.{name}" for block in (0, 1) for name in ("linear2", "self_attn.out_proj")),
        *(f"0.layers.{block}.self_attn.in_proj_weight" for block in (0, 1)),
    ),
}
"""Ends of branches, and what is cut in parts: nobody keeps them for the backward pass."""


def seen(look, model, x, factor=1.0):
    model.zero_grad()
    look.enter(((x,), {}))
    output = model(x)
    look.leave(output)
    loss = (output - 1).square().mean() * factor
    if not look.reaches(loss):
        return None
    look.attach(loss)
    loss.backward()
    look.ask()
    return look.chain(factor)


def learned(model, x):
    """An echo of one look, and a step after it so that nothing is as it was."""
    first = LiveLook(model)
    seen(first, model, x)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.1)
    return first.echo


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("factor", [1.0, 512.0])
def test_an_echo_reads_what_a_look_reads(case, factor):
    """But for theory, sizes of weights and the chain over time, which stay those of the look before."""
    make, shape = CASES[case]
    model, x = make(), torch.randn(*shape) + 0.3
    echo = learned(model, x)
    y = torch.randn(*shape) + 0.3
    expected = seen(LiveLook(model), model, y, factor)
    found = seen(EchoLook(echo), model, y, factor)
    few = 0.25 if shape[0] > 64 else 1e-4  # of more examples than that a sample is looked at one by one
    assert found.loss == pytest.approx(expected.loss) and found.input_gradient == pytest.approx(expected.input_gradient)
    for (_, one), (_, other) in zip(found.walk(), expected.walk(), strict=True):
        assert one.name == other.name
        for field in ("gain", "backward_rms", "contribution", "dead"):
            assert (getattr(one, field) or 0) == pytest.approx(getattr(other, field) or 0, rel=1e-4, abs=1e-9), field
        for field in ("forward_rms", "similarity", "saturated", "input_rms"):
            lost = getattr(one, field) is None and one.name in ENDS.get(case, ())
            assert lost or (getattr(one, field) or 0) == pytest.approx(getattr(other, field) or 0, rel=few, abs=few / 5)
        for a, b in zip(one.terms, other.terms, strict=True):
            assert a.gradient_norm == pytest.approx(b.gradient_norm, rel=1e-4)
        assert (one.steps is None) == (other.steps is None)


@pytest.mark.parametrize("case", CASES)
def test_a_step_computes_what_it_would_have_computed(case):
    make, shape = CASES[case]
    model, x = make().double(), torch.randn(*shape).double()
    echo = learned(model, x)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    seen(EchoLook(echo), model, x)
    watched = [p.grad.clone() for p in model.parameters()]
    model.load_state_dict(state)
    model.zero_grad()
    (model(x) - 1).square().mean().backward()
    assert all(torch.equal(a, p.grad) for a, p in zip(watched, model.parameters(), strict=True))


def test_another_shape_is_noticed():
    model, x = residual(), torch.randn(20, 6)
    echo = learned(model, x)
    assert EchoLook(echo).fits(((x,), {})) and not EchoLook(echo).fits(((x[:7],), {}))
    model[1].up.weight.requires_grad_(False)
    look = EchoLook(echo)
    assert seen(look, model, x) is None and look.lost
    with pytest.raises(TrainingError, match="has another shape"):
        look.ask()
    look.drop()


def test_a_loss_of_something_else_loses_nothing():
    model, x = residual(), torch.randn(20, 6)
    look = EchoLook(learned(model, x))
    look.enter(((x,), {}))
    look.leave(model(x))
    assert not look.reaches((torch.ones(3, requires_grad=True) * 2).sum()) and not look.lost


def test_two_forward_passes_are_no_echo_of_one():
    model, x = residual(), torch.randn(20, 6)
    echo = learned(model, x)
    look = EchoLook(echo)
    for _ in range(2):
        look.enter(((x,), {}))
        output = model(x)
        look.leave(output)
    assert not look.reaches(output.sum()) and look.lost


def test_gradients_too_small_for_float32_are_read_exactly_from_then_on():
    model, x = residual(), torch.randn(20, 6)
    echo = learned(model, x)
    with pytest.raises(TrainingError, match="the next is read exactly"):
        seen_small(EchoLook(echo), model, x)
    found = seen_small(EchoLook(echo), model, x)
    assert 0 < found.links[-1].backward_rms < 1e-20


def seen_small(look, model, x):
    look.enter(((x,), {}))
    output = model(x)
    look.leave(output)
    loss = (output - 1).square().mean() * 1.0
    assert look.reaches(loss)
    look.attach(loss)
    loss.backward(torch.tensor(1e-25))
    look.ask()
    return look.chain()


def test_what_is_computed_anew_in_the_backward_pass_is_not_touched():
    class Checkpointed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.head, self.calls = residual(), nn.Linear(2, 1), 0

        def run(self, x):
            self.calls += 1
            return self.inner(x)

        def forward(self, x):
            return self.head(checkpoint(self.run, x, use_reentrant=False))

    model, x = Checkpointed(), torch.randn(20, 6)
    look = LiveLook(model)
    seen(look, model, x)
    assert model.calls == 2 and look.echo is None


def test_the_form_of_a_call():
    x = torch.zeros(3, 4)
    assert form_of(((x,), {"mask": x.bool()})) == (((3, 4), torch.float32, False), ((3, 4), torch.bool, False))
