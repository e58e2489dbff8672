import pytest
import torch
from torch import nn

from _small import small_plan
from evenkeel.errors import RequestError
from evenkeel.kinds.body import features_of, net_arguments, net_for
from evenkeel.nets import PARTS as NETS


def test_a_net_must_read_the_kind():
    assert net_for("cnn", "image") is NETS["cnn"]
    with pytest.raises(RequestError, match="net 'gnn' reads graph data, and this is a table; try mlp"):
        net_for("gnn", "table")
    with pytest.raises(RequestError, match="and this is an image; try cnn, transformer"):
        net_for("mlp", "image")


def test_the_plan_speaks_to_a_net_by_the_names_of_its_arguments():
    plan = small_plan("regression").model_copy(update={"net_options": {"patch": 4}})
    found = net_arguments(plan, NETS["transformer"])
    assert found["width"] == plan.width and found["patch"] == 4
    assert not {"bins", "members", "skip"} & set(found), "a transformer has no such arguments"
    assert "members" in net_arguments(plan, NETS["mlp"])


def test_features_are_told_or_seen():
    batch = {"input": torch.zeros(3, 4)}
    assert features_of(nn.Linear(4, 7), batch, "numbers") == 7
    known = nn.Identity()
    known.features = 11
    assert features_of(known, batch, "numbers") == 11
    with pytest.raises(RequestError, match=r"the net cannot read these data: .*It is given numbers"):
        features_of(nn.Linear(5, 7), batch, "numbers")
    with pytest.raises(RequestError, match=r"got \(3, 2, 2\) for a batch of 3"):
        features_of(nn.Unflatten(1, (2, 2)), batch, "numbers")
