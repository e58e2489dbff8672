import pytest
import torch
from torch import nn
from torch.nn.modules import module as module_hooks

from evenkeel.chain.record.call import along, bound, called, forget_hooks


def test_the_random_state_of_the_call_and_then_that_of_before():
    call, first = called(((), {})), torch.rand(4)
    state = torch.get_rng_state()
    with call.again():
        assert torch.equal(torch.rand(4), first)
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.raises(ValueError, match="inside"), call.again():
        raise ValueError("inside")
    assert torch.equal(torch.get_rng_state(), state)


def test_autocast_of_the_call():
    with torch.autocast("cpu", torch.bfloat16):
        call = called(((), {}))
    with call.again():
        assert torch.is_autocast_enabled("cpu")
        assert nn.Linear(2, 2)(torch.ones(1, 2)).dtype == torch.bfloat16
    assert not torch.is_autocast_enabled("cpu") and called(((), {})).autocast == ()


class Varied(nn.Module):
    def forward(self, first, second=2, *, third=3, **more):
        return first, second, third, more


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (((1,), {}), (1,)),
        (((1, 5), {"third": 4}), {"first": 1, "second": 5, "third": 4}),
        (((1,), {"other": 7, "second": 6}), {"first": 1, "second": 6, "other": 7}),
    ],
)
def test_arguments_as_inputs(arguments, expected):
    found = bound(Varied(), arguments)
    assert found == expected
    again = Varied()(*found) if isinstance(found, tuple) else Varied()(**found)
    assert again == Varied()(*arguments[0], **arguments[1])


def test_a_loss_with_given_gradients():
    x = torch.ones(3, requires_grad=True)
    output = {"a": x * 2, "b": [x.detach(), x * 3, x * 5]}
    wanted = {0: torch.tensor([1.0, 2.0, 3.0]), 1: None, 2: torch.full((3,), 10.0)}
    along(wanted)(output, None).backward()
    assert x.grad.tolist() == [52.0, 54.0, 56.0]


def test_what_torch_keeps_of_removed_hooks():
    kept = module_hooks.register_module_forward_hook(lambda *given: None, with_kwargs=True)
    module_hooks.register_module_forward_hook(lambda *given: None, with_kwargs=True).remove()
    forget_hooks()
    assert len(module_hooks._global_forward_hooks_with_kwargs) == 1
    kept.remove()
    forget_hooks()
    assert not module_hooks._global_forward_hooks_with_kwargs
