import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from evenkeel.chain.record.overwritten import Overwritten
from evenkeel.chain.record.recorder import CallStack, Recorder


def recorded(model, *inputs, call=None):
    recorder = Recorder(model, inputs, len(inputs[0]), Overwritten())
    with recorder.calls, recorder:
        (call or model)(*inputs)
    return recorder


def test_operations_know_their_module_and_their_weights():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    found = recorded(model, torch.randn(5, 3)).operations
    assert [(o.name, o.call.path) for o in found if o.name != "detach"] == [
        ("addmm", "0"),
        ("relu", "1"),
        ("addmm", "2"),
    ]
    assert [w.name for w in found[0].weights] == ["0.bias", "0.weight"]


def test_only_what_depends_on_the_data_is_recorded():
    weight = nn.Parameter(torch.randn(3, 3))
    model = nn.ParameterList([weight])
    found = recorded(model, torch.randn(5, 3), call=lambda x: x @ (weight * 2).tanh().t()).operations
    assert [operation.name for operation in found] == ["mm"]
    assert found[0].weights[0].name == "0"  # computed from a parameter alone: still that weight


def test_factories_and_masks_are_no_data():
    def call(x):
        hidden = torch.zeros_like(x)
        hidden = hidden + 1
        return F.dropout(x + hidden, 0.25)

    found = recorded(nn.Identity(), torch.randn(5, 3, requires_grad=True), call=call).operations
    kinds = [(operation.name, operation.kind) for operation in found]
    assert ("add", "elementwise") in kinds and kinds[-1][1] == "dropout"
    assert found[-1].keep in (0.75, None)


def test_data_written_into_an_empty_tensor_are_data():
    def call(x):
        buffer = torch.empty(5, 3)
        buffer.copy_(x)
        return buffer * 2

    found = recorded(nn.Identity(), torch.randn(5, 3), call=call).operations
    assert [operation.name for operation in found] == ["copy", "mul"]


def test_a_storage_used_again_is_not_taken_for_data():
    def call(x):
        for _ in range(50):
            (x * 2).sum()
        fresh = [torch.ones(5, 3) for _ in range(50)]
        return [one + 1 for one in fresh]

    found = recorded(nn.Identity(), torch.randn(5, 3), call=call).operations
    assert {operation.name for operation in found} == {"mul", "sum"}


def test_foreign_tensors_count_as_data_only_when_asked():
    outside = torch.randn(5, 3)
    for foreign, count in ((False, 0), (True, 1)):
        recorder = Recorder(nn.Identity(), [], 5, Overwritten(), foreign=foreign)
        with recorder:
            outside * 2
        assert len(recorder.operations) == count


def test_calls_are_followed_even_through_a_caught_error():
    class Fails(nn.Module):
        def forward(self, x):
            raise ValueError

    class Tries(nn.Module):
        def __init__(self):
            super().__init__()
            self.fails, self.layer = Fails(), nn.Linear(3, 1)

        def forward(self, x):
            try:
                return self.fails(x)
            except ValueError:
                return self.layer(x)

    recorder = recorded(nn.Sequential(Tries(), nn.ReLU()), torch.randn(5, 3))
    assert recorder.operations[0].call.path == "0.layer"
    assert recorder.operations[-1].call.path == "1"
    assert recorder.calls.current is None


def test_other_models_are_nobodys_business():
    with CallStack(nn.Linear(2, 2)) as calls:
        nn.ReLU()(torch.ones(1))
        assert calls.current is None
