import pytest
import torch

from evenkeel.errors import RequestError
from evenkeel.nets.step_norm import STEP_NORMS, StepNorm


@pytest.mark.parametrize("kind", STEP_NORMS)
def test_it_normalises_over_the_units_of_a_step_and_no_other_axis(kind):
    norm, x = StepNorm(kind, 16), torch.randn(3, 5, 16) * 4 + 2
    wide = x.double()
    centre = wide.mean(-1, keepdim=True) if kind == "layer" else 0.0
    expected = (wide - centre) / ((wide - centre).square().mean(-1, keepdim=True) + 1e-5).sqrt()
    torch.testing.assert_close(norm(x).double(), expected, atol=1e-5, rtol=1e-5)
    other = x.clone()
    other[:, 3:] += 100.0
    assert torch.equal(norm(other)[:, :3], norm(x)[:, :3])


@pytest.mark.parametrize("kind", STEP_NORMS)
def test_scale_and_shift_belong_to_each_unit(kind):
    norm, x = StepNorm(kind, 4), torch.randn(3, 4)
    plain = norm(x)
    torch.nn.init.normal_(norm.weight)
    if norm.bias is not None:
        torch.nn.init.normal_(norm.bias)
    torch.testing.assert_close(norm(x), plain * norm.weight + (0.0 if norm.bias is None else norm.bias))
    assert (norm.bias is None) == (kind == "rms")


@pytest.mark.parametrize(
    "kind, message",
    [
        ("instance", "instance norm takes its mean over the steps, so a step would learn of those after it; try"),
        ("group", "group norm takes its mean over the steps, so a step would learn of those after it; try"),
        (
            "batch",
            "batch norm takes its mean over all steps and examples, .* unequal length .*; try norm='layer' or 'rms'",
        ),
        ("lair", "no norm over one step is called 'lair'; there are: layer, rms"),
        (None, "no norm over one step is called None"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(kind, message):
    with pytest.raises(RequestError, match=message):
        StepNorm(kind, 4)
