from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from evenkeel.chain.record.batch import (
    batch_length,
    call_loss,
    call_model,
    examples_called,
    input_leaves,
    map_tensors,
    predicted,
    split_batch,
    tensors_in,
    usable,
)
from evenkeel.errors import DataError, RequestError, TrainingError

Pair = namedtuple("Pair", "left right")


@dataclass
class Output:
    logits: torch.Tensor
    name: str = "kept"


class Seen(nn.Module):
    def forward(self, *args, **kwargs):
        return args, kwargs


def test_the_calling_convention():
    x = torch.ones(2)
    assert call_model(Seen(), x) == ((x,), {})
    assert call_model(Seen(), (x, x)) == ((x, x), {})
    assert call_model(Seen(), {"a": x}) == ((), {"a": x})
    assert call_model(Seen(), [x]) == (([x],), {})


def test_split_batch():
    assert split_batch([1, 2], print) == (1, 2)
    assert split_batch({"labels": 1}, None) == ({"labels": 1}, None)
    with pytest.raises(DataError, match="got tuple of 3"):
        split_batch((1, 2, 3), print)
    with pytest.raises(DataError, match="got int"):
        split_batch(5, print)


def test_leaves_are_what_the_gradient_goes_to_and_copies_are_what_the_model_gets():
    x, ids = torch.ones(3), torch.tensor([1])
    leaves, entries = [], []
    given = input_leaves({"x": x, "ids": ids, "n": 4}, leaves, entries)
    given["x"].mul_(2.0)
    assert torch.equal(x, torch.ones(3)) and given["ids"] is ids and given["n"] == 4
    assert leaves[0].requires_grad and len(entries) == 1 and entries[0] is not given["x"].grad_fn


def test_map_tensors_keeps_every_structure():
    one = torch.ones(1)
    nested = {"a": [one, (one,)], "p": Pair(one, 3), "o": OrderedDict(b=one), "d": Output(logits=one)}
    found = map_tensors(nested, lambda tensor: tensor + 1)
    assert found["a"][1][0].item() == found["p"].left.item() == found["o"]["b"].item() == found["d"].logits.item() == 2
    assert type(found["p"]) is Pair and found["d"].name == "kept" and type(found["o"]) is OrderedDict
    assert map_tensors("text", str) == "text"


def test_tensors_are_found_in_objects_too():
    one, two = torch.ones(1), torch.ones(2)
    graph = SimpleNamespace(x=one, deep=SimpleNamespace(y=two))
    assert [tensor.numel() for tensor in tensors_in(({"g": graph}, 3))] == [1, 2]
    assert batch_length((torch.tensor(1.0), two)) == 2
    assert batch_length("nothing") is None


def test_a_model_counts_examples_that_are_joined():
    class Joined(nn.Module):
        def count_examples(self, inputs):
            return len(inputs["ends"])

    inputs = {"words": torch.ones(7), "ends": torch.tensor([3, 7])}
    assert batch_length(inputs) == 7 and batch_length(inputs, Joined()) == 2
    assert batch_length(inputs, nn.Linear(1, 1)) == 7 and batch_length(torch.ones(5), Joined()) == 5
    assert examples_called(((), inputs), Joined()) == 2 and examples_called(((torch.ones(4),), {}), Joined()) == 4


def test_losses():
    weight = nn.Parameter(torch.ones(2))
    assert call_loss(lambda o, t: (o * t).sum(), weight, 2.0).item() == 4
    assert call_loss(None, SimpleNamespace(loss=weight.sum()), None).item() == 2
    assert call_loss(None, {"loss": weight.sum()}, None).item() == 2
    assert call_loss(None, weight.sum(), None).item() == 2
    with pytest.raises(RequestError, match="got float"):
        call_loss(lambda o, t: 1.0, weight, None)
    with pytest.raises(TrainingError, match="every parameter frozen"):
        call_loss(lambda o, t: o.detach().sum(), weight, None)
    assert predicted(SimpleNamespace(logits=3)) == predicted({"logits": 3}) == 3
    assert predicted(weight) is None


def test_tensors_of_inference_mode_are_copied():
    with torch.inference_mode():
        frozen = torch.ones(2)
    assert not usable(frozen).is_inference() or usable(frozen) is not frozen
    plain = torch.ones(2)
    assert usable(plain) is plain
