import math

import pytest
import torch
from torch import nn

from evenkeel.observe.weights import StepLook, gradient_norm, optimizer_kind
from evenkeel.symptoms.history import ParameterLook


def rms(value: torch.Tensor) -> float:
    return value.double().square().mean().sqrt().item()


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("steps", [0, 3])
def test_against_plain_formulas(steps, fused):
    model = nn.Linear(5, 3)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2, betas=(0.9, 0.99), fused=fused)
    for _ in range(steps + 1):
        optimizer.zero_grad()
        model(torch.randn(4, 5)).square().mean().backward()
        taken = float(optimizer.state[model.weight]["step"]) if optimizer.state else 0
        if taken < steps:
            optimizer.step()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    squares = {name: optimizer.state[p]["exp_avg_sq"].clone() for name, p in model.named_parameters()} if steps else {}
    look = StepLook(model.named_parameters(), optimizer)
    optimizer.step()
    look.finish()
    for row, (name, parameter) in zip(look.ask().read(), model.named_parameters(), strict=True):
        assert (row.name, row.size) == (name, parameter.numel())
        assert row.weight_rms == pytest.approx(rms(before[name]))
        assert row.gradient_rms == pytest.approx(rms(parameter.grad))
        assert row.update_rms == pytest.approx(rms(parameter.detach() - before[name]))
        assert row.moved == 1.0
        if steps:
            corrected = squares[name].double() / (1 - 0.99**steps)
            assert row.surprise == pytest.approx(rms(parameter.grad.double().square() / corrected), rel=1e-4)
        else:
            assert row.surprise is None


def test_what_did_not_move_and_what_has_no_gradient():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 1, bias=False), nn.Linear(2, 2))
    optimizer = torch.optim.SGD(model[:2].parameters(), 0.1)
    model[0].weight.grad = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    look = StepLook(model.named_parameters(), optimizer)
    optimizer.step()
    look.finish()
    first, second = look.ask().read()
    assert first.moved == 0.25 and first.gradient_rms == 0.5 and first.update_rms == pytest.approx(0.05)
    assert second.gradient_rms is None and second.moved == 0 and second.update_rms == 0


@pytest.mark.parametrize("size", [1e-25, 1e-40, 1e25])
def test_squares_that_float32_would_lose(size):
    model = nn.Linear(4, 4, bias=False)
    model.weight.grad = torch.full((4, 4), size)
    look = StepLook(model.named_parameters(), torch.optim.SGD(model.parameters(), 0.0))
    look.finish()
    assert look.ask().read()[0].gradient_rms == pytest.approx(float(model.weight.grad[0, 0]), rel=1e-3)


def test_an_entry_that_never_had_a_gradient_is_no_surprise():
    model = nn.Linear(2, 1, bias=False)
    optimizer = torch.optim.Adam(model.parameters())
    model.weight.grad = torch.tensor([[1.0, 0.0]])
    optimizer.step()
    model.weight.grad = torch.tensor([[1.0, 3.0]])
    look = StepLook(model.named_parameters(), optimizer)
    look.finish()
    assert look.ask().read()[0].surprise == pytest.approx(math.sqrt(1 / 2), rel=1e-4)


def test_a_factor_that_a_fused_step_divides_by():
    model = nn.Linear(2, 1, bias=False)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    optimizer.grad_scale = torch.tensor(8.0)
    model.weight.grad = torch.full((1, 2), 16.0)
    look = StepLook(model.named_parameters(), optimizer)
    look.finish()
    assert look.ask().read()[0].gradient_rms == pytest.approx(2.0)


def test_sparse_and_low_precision_gradients():
    table, low = nn.Embedding(10, 4, sparse=True), nn.Linear(3, 2, bias=False).bfloat16()
    optimizer = torch.optim.SGD([*table.parameters(), *low.parameters()], 0.1)
    table(torch.tensor([1, 1, 2])).sum().backward()
    low.weight.grad = torch.full((2, 3), 0.5, dtype=torch.bfloat16)
    look = StepLook([("table", table.weight), ("low", low.weight)], optimizer)
    optimizer.step()
    look.finish()
    first, second = look.ask().read()
    assert first.gradient_rms == pytest.approx(math.sqrt((4 * 4 + 4) / 40)) and first.moved == 0.2
    assert second.gradient_rms == pytest.approx(0.5)


def test_gradients_made_by_a_closure():
    model = nn.Linear(2, 1, bias=False)
    look = StepLook(model.named_parameters(), torch.optim.SGD(model.parameters(), 0.1))
    model.weight.grad = torch.full((1, 2), 3.0)
    look.finish(closure=True)
    assert look.ask().read()[0].gradient_rms == pytest.approx(3.0)


def test_parameters_of_another_model_are_left_out():
    model, other = nn.Linear(2, 1), nn.Linear(2, 1)
    optimizer = torch.optim.SGD([*other.parameters(), *model.parameters()], 0.1)
    look = StepLook(model.named_parameters(), optimizer)
    look.finish()
    assert [row.name for row in look.ask().read()] == ["weight", "bias"] and look.rate == 0.1


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda p: torch.optim.SGD(p, 0.1), "descent"),
        (lambda p: torch.optim.SGD(p, 0.1, momentum=0.9), "momentum"),
        (torch.optim.AdamW, "adaptive"),
        (torch.optim.RMSprop, "adaptive"),
        (torch.optim.LBFGS, "descent"),
    ],
)
def test_kinds(make, kind):
    assert optimizer_kind([make(nn.Linear(2, 1).parameters())]) == kind


def test_the_norm_over_all():
    rows = [
        ParameterLook(name="a", size=size, weight_rms=1.0, gradient_rms=gradient, update_rms=None, moved=None)
        for size, gradient in ((4, 1.5), (9, None), (1, 4.0))
    ]
    assert gradient_norm(rows) == 5.0 and gradient_norm(rows[1:2]) is None
