import pytest
import torch
from torch import nn

from evenkeel.chain.measurement import Measurement
from evenkeel.chain.record.capture import capture
from evenkeel.chain.record.overwritten import Overwritten
from evenkeel.errors import TrainingError


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1))


def captured(model, x, factor=1.0):
    return capture(model, lambda output, target: output.square().mean() * factor, (x, None), Overwritten())


def measured(model, x, factor=1.0):
    found = captured(model, x, factor)
    measurement = Measurement(found)
    with measurement.reading():
        gradients = torch.autograd.grad(found.loss, list(measurement.parameters.values()))
    return measurement.chain(dict(zip(measurement.parameters, gradients, strict=True)), unit=factor), found


def test_norms_are_those_of_autograd():
    model, x = network(), torch.randn(10, 6)
    chain, _ = measured(model, x)
    output = model(x)
    hidden = model[1](model[0](x)).detach().requires_grad_()
    above = torch.autograd.grad(model[2](hidden).square().mean(), hidden)[0].norm().item()
    assert chain.output_gradient == pytest.approx((2 * output / output.numel()).norm().item(), rel=1e-5)
    assert chain.links[1].contribution == pytest.approx(above, rel=1e-5)
    model.zero_grad()
    output.square().mean().backward()
    assert [link.terms[0].gradient_norm for link in chain.links] == pytest.approx(
        [model[place].weight.grad.norm().item() for place in (0, 2)], rel=1e-5
    )


def test_a_unit_is_divided_out():
    model, x = network(), torch.randn(10, 6)
    plain, scaled = measured(model, x)[0], measured(model, x, 1024.0)[0]
    assert scaled.loss == pytest.approx(plain.loss, rel=1e-6)
    for one, other in zip(plain.links, scaled.links, strict=True):
        assert (other.gain or 0) == pytest.approx(one.gain or 0, rel=1e-5)
        assert other.backward_rms == pytest.approx(one.backward_rms, rel=1e-5)
        assert other.terms[0].gradient_norm == pytest.approx(one.terms[0].gradient_norm, rel=1e-5)


def test_tensors_are_let_go_before_the_backward_pass():
    model, x = network(), torch.randn(10, 6)
    found = captured(model, x)
    assert any(operation.outputs for operation in found.operations)
    Measurement(found)
    assert not any(operation.outputs or operation.inputs for operation in found.operations)


def test_frozen_and_unreached_parameters():
    model, x = network(), torch.randn(10, 6)
    model[0].bias.requires_grad_(False)
    found = captured(model, x)
    measurement = Measurement(found)
    with measurement.reading():
        found.loss.backward()
    chain = measurement.chain({"2.weight": model[2].weight.grad})
    assert chain.frozen == ("0.bias",) and set(chain.without_gradient) == {"0.weight", "2.bias"}


def test_a_loss_that_does_not_depend_on_the_inputs():
    class Constant(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3))

        def forward(self, x):
            return self.weight * 2

    with pytest.raises(TrainingError, match="does not depend on the inputs"):
        measured(Constant(), torch.randn(10, 6))


def test_a_local_term_has_the_shape_of_its_parameter():
    model = network()
    chain, _ = measured(model, torch.randn(10, 6))
    shapes = {term.name: term.shape for link in chain.links for term in link.terms}
    assert shapes == {name: tuple(one.shape) for name, one in model.named_parameters() if one.ndim == 2}
