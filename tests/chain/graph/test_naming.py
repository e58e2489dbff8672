import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from evenkeel.chain import trace


def names(model, x):
    chain = trace(model, lambda output, _: output.sum(), (x, None))
    return [link.name for _, link in chain.walk()], chain


def test_weights_give_the_name_and_uses_are_counted():
    shared = nn.Linear(4, 4)
    assert names(nn.Sequential(shared, nn.Tanh(), shared), torch.randn(3, 4))[0] == ["0", "0#2"]


def test_parameters_of_functional_code_are_named_as_they_are():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.inner = nn.Parameter(torch.randn(4, 4)), nn.Linear(4, 2)

        def forward(self, x):
            return F.linear(F.relu(x @ self.first), self.inner.weight)

    assert names(Own(), torch.randn(3, 4))[0] == ["first", "inner"]


def test_operations_without_weights_are_named_by_their_module_or_themselves():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.pool = nn.MaxPool1d(2)

        def forward(self, x):
            return torch.cumsum(self.pool(x), dim=-1)

    assert names(Own(), torch.randn(3, 2, 4))[0] == ["pool", "cumsum"]


def test_a_path_is_named_by_what_its_layers_share():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, h):
            return h + self.two(F.relu(self.one(h)))

    found, chain = names(nn.Sequential(nn.Linear(4, 4), Block()), torch.randn(3, 4))
    assert found == ["0", "1", "1.one", "1.two"]
    assert [branch.name for branch in chain.links[1].branches] == ["skip", "1"]


def test_a_recurrent_layer_has_the_name_of_its_module():
    layer = nn.GRU(4, 3)
    model = nn.ModuleDict({"memory": layer})
    model.forward = lambda x: layer(layer(x)[0][..., :1].expand(-1, -1, 4))[0]
    assert names(model, torch.randn(5, 2, 4))[0] == ["memory", "memory#2"]


def test_weights_that_torch_makes_of_others_keep_the_name_of_their_layer():
    wrapped = [nn.utils.parametrizations.spectral_norm, nn.utils.parametrizations.orthogonal, nn.utils.spectral_norm]
    model = nn.Sequential(*(wrap(nn.Linear(4, 4)) for wrap in wrapped))
    assert names(model, torch.randn(3, 4))[0] == ["0", "1", "2"]


def test_paths_that_join_outside_any_module_are_named_by_what_they_hold():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.gate, self.value, self.scale = nn.Linear(4, 4), nn.Linear(4, 4), nn.Parameter(torch.ones(4))

        def forward(self, x):
            h = torch.tanh(x)
            return (torch.sigmoid(self.gate(h)) * self.value(h)) * self.scale

    assert names(Own(), torch.randn(3, 4))[0][1] in ("gate..value", "value..gate")
    assert names(nn.Identity(), torch.randn(3, 4))[0] == ["output"]
