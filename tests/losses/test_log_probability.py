import pytest
import torch

from evenkeel.losses.log_probability import discrete, times_log_ratio

P = torch.tensor([0.25, 0.75, 0.0])


@pytest.mark.parametrize(
    ("values", "form"), [(P, "probabilities"), (P.log(), "log-probabilities"), (P.log() + 5, "logits")]
)
def test_three_forms_say_the_same(values, form):
    found = discrete(values.half(), form)
    assert found.probability.dtype == torch.float32
    assert torch.allclose(found.probability, P, atol=1e-3)
    assert torch.allclose(found.logarithm, P.log(), atol=3e-3)


def test_nothing_times_infinity_is_nothing_with_zero_gradient():
    p, over, under = (torch.tensor(x, requires_grad=True) for x in ([0.0, 0.5], [-torch.inf, -1.0], [-torch.inf, -2.0]))
    value = times_log_ratio(p, over, under)
    assert value.tolist() == [0.0, 0.5]
    for gradient in torch.autograd.grad(value.sum(), (p, over, under)):
        assert gradient[0] == 0 and gradient[1].isfinite()
