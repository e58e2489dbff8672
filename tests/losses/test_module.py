import copy
import inspect
import pickle

import pytest
import torch

from evenkeel import losses
from evenkeel.errors import RequestError
from evenkeel.losses.module import module_form


def scaled(prediction, *, temperature=0.5):
    return (prediction / temperature).sum()


def test_options_show_and_survive_copies():
    loss = losses.FocalLoss(gamma=1.5, reduction="sum")
    assert repr(loss) == "FocalLoss(gamma=1.5, reduction='sum')"
    logits, target = torch.randn(3, 2), torch.tensor([0, 1, 1])
    for other in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert torch.equal(other(logits, target), losses.focal(logits, target, gamma=1.5, reduction="sum"))


def test_tensor_options_move_with_the_module_and_a_call_may_override():
    loss = losses.CrossEntropyLoss(class_weight=torch.ones(3))
    assert loss.double().class_weight.dtype == torch.float64
    assert list(loss.state_dict()) == ["class_weight"]
    assert loss(torch.zeros(2, 3), torch.tensor([0, 1]), reduction="none").shape == (2,)


def test_a_learned_option_stays_positive_and_gets_a_gradient():
    loss = module_form(scaled)(learn=("temperature",))
    assert [name for name, _ in loss.named_parameters()] == ["log_temperature"]
    value = loss(torch.ones(2))
    assert torch.allclose(value, torch.tensor(4.0))
    value.backward()
    assert torch.allclose(loss.log_temperature.grad, torch.tensor(-4.0))


def test_a_parameter_given_as_option_is_registered():
    loss = losses.CrossEntropyLoss(class_weight=torch.nn.Parameter(torch.ones(3)))
    assert [name for name, _ in loss.named_parameters()] == ["class_weight"]


def test_the_signature_is_that_of_the_options():
    assert list(inspect.signature(losses.FocalLoss).parameters) == ["gamma", "alpha", "reduction", "learn"]
    assert losses.FocalLoss.__module__ == "evenkeel.losses.focal" and "Focal loss" in losses.FocalLoss.__doc__


def test_messages():
    with pytest.raises(RequestError, match="FocalLoss has no option 'gama'; did you mean 'gamma'"):
        losses.FocalLoss(gama=1.0)
    with pytest.raises(RequestError, match=r"only a positive number can be learned, alpha is None; try alpha=1.0"):
        losses.FocalLoss(learn=("alpha",))
