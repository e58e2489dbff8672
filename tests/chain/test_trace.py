"""Robust and without traces: any way of writing a model, everything as before afterwards, errors that help."""

import math
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.checkpoint import checkpoint

from evenkeel.chain import trace
from evenkeel.errors import DataError, RequestError, TrainingError

X, Y = torch.randn(16, 9, generator=torch.Generator().manual_seed(0)).split([8, 1], dim=1)


def perceptron():
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))


def gains(chain):
    return [link.gain for link in chain.links]


def rewired(model, forward):
    """The model with another forward."""
    model.forward = forward
    return model


def test_shared_modules_and_modules_called_several_times():
    shared = nn.Linear(8, 8)
    chain = trace(nn.Sequential(shared, nn.Tanh(), shared, nn.Tanh(), shared, nn.Linear(8, 1)), F.mse_loss, (X, Y))
    assert [link.name for link in chain.links] == ["0", "0#2", "0#3", "5"]
    parts = [link.terms[0].gradient_norm for link in chain.links[:3]]
    assert len(set(parts)) == 3  # each call's own share, not the sum


def test_the_shares_of_a_shared_weight_add_up_to_its_gradient():
    shared, x = nn.Linear(3, 3, bias=False).double(), torch.randn(1, 3).double()
    chain = trace(nn.Sequential(shared, shared), lambda output, _: output.sum(), (x, None))
    total = torch.autograd.grad(shared(shared(x)).sum(), shared.weight)[0].norm()
    first, second = (link.terms[0].gradient_norm for link in chain.links)
    assert abs(first - second) < total.item() < first + second


def test_dictionaries_tuples_and_output_objects():
    body, head = nn.Linear(8, 4), nn.Linear(4, 1)
    named = rewired(nn.ModuleList([body, head]), lambda left, right: {"y": head(torch.relu(body(left + right)))})
    chain = trace(named, lambda output, target: F.mse_loss(output["y"], target), ({"left": X, "right": X}, Y))
    assert [link.name for link in chain.links][-2:] == ["0", "1"]
    assert chain.starts_at == "output"
    pair = rewired(nn.ModuleList([body, head]), lambda x: (head(torch.relu(body(x))), x.mean()))
    assert trace(pair, lambda output, target: F.mse_loss(output[0], target), (X, Y)).total_gain > 0
    own = rewired(nn.ModuleList([body, head]), lambda x: SimpleNamespace(value=head(body(x))))
    chain = trace(own, lambda output, target: F.mse_loss(output.value, target), (X, Y))
    assert chain.starts_at == "loss"  # an object of unknown kind: the chain begins at the loss itself
    assert {"0", "1"} <= {link.name for link in chain.links}


def test_a_model_that_computes_its_own_loss():
    body = nn.Linear(8, 3)

    def forward(x, labels):
        logits = body(x)
        return SimpleNamespace(loss=F.cross_entropy(logits, labels), logits=logits)

    model = rewired(nn.ModuleList([body]), forward)
    chain = trace(model, None, {"x": X, "labels": torch.zeros(16).long()})
    assert chain.starts_at == "output"
    assert [link.kind for link in chain.links] == ["linear"]
    logits = body(X).detach().requires_grad_()
    expected = torch.autograd.grad(F.cross_entropy(logits, torch.zeros(16).long()), logits)[0].norm()
    assert chain.output_gradient == pytest.approx(expected.item(), rel=1e-5)


def test_frozen_layers_are_still_links():
    model = perceptron()
    model[0].requires_grad_(False)
    model[2].weight.requires_grad_(False)
    chain = trace(model, F.mse_loss, (X, Y))
    assert [link.name for link in chain.links] == ["0", "2", "4"]
    assert all(gain > 0 for gain in gains(chain))
    assert chain.links[0].gradient_rms is None and chain.links[0].weight_rms > 0
    assert chain.links[0].input_rms == pytest.approx(X.square().mean().sqrt().item(), rel=1e-5)
    assert chain.frozen == ("0.weight", "0.bias", "2.weight")


def test_parameters_without_a_gradient_are_named():
    model = nn.ModuleDict({"used": nn.Linear(8, 1), "unused": nn.Linear(8, 1)})
    rewired(model, model["used"].forward)
    chain = trace(model, F.mse_loss, (X, Y))
    assert chain.without_gradient == ("unused.weight", "unused.bias")


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpointing_changes_nothing(reentrant):
    model = perceptron()
    plain = trace(model, F.mse_loss, (X, Y))
    saved = rewired(nn.ModuleList([model]), lambda x: checkpoint(model, x, use_reentrant=reentrant))
    chain = trace(saved, F.mse_loss, (X, Y))
    assert gains(chain) == pytest.approx(gains(plain), rel=1e-6)
    assert [link.forward_rms for link in chain.links] == [link.forward_rms for link in plain.links]
    assert [link.name for link in chain.links] == ["0.0", "0.2", "0.4"]


def test_autocast():
    model = perceptron()
    plain = trace(model, F.mse_loss, (X, Y))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        chain = trace(model, lambda output, target: F.mse_loss(output.float(), target), (X, Y))
    assert [link.name for link in chain.links] == ["0", "2", "4"]
    assert gains(chain) == pytest.approx(gains(plain), rel=0.05)
    assert all(link.weight_rms and link.gradient_rms and link.expected_gain for link in chain.links)


def test_casts_from_before_are_forgotten():
    """Autocast keeps cast weights from an earlier pass: they must not make the weights invisible."""
    model = perceptron()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        model(X)
        chain = trace(model, lambda output, target: F.mse_loss(output.float(), target), (X, Y))
        F.mse_loss(model(X).float(), Y).backward()  # and those of the trace must not cut off the next step
    assert [link.kind for link in chain.links] == ["linear"] * 3 and all(link.gradient_rms for link in chain.links)
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_gradients_far_below_the_squares_of_float32():
    layers = [layer for _ in range(30) for layer in (nn.Linear(16, 16), nn.Sigmoid())]
    model = nn.Sequential(nn.Linear(8, 16), *layers, nn.Linear(16, 1))
    single = trace(model, F.mse_loss, (X, Y))
    double = trace(model.double(), F.mse_loss, (X.double(), Y.double()))
    assert 0 < double.total_gain < 1e-22
    assert single.total_gain == pytest.approx(double.total_gain, rel=1e-4)
    assert gains(single) == pytest.approx(gains(double), rel=1e-4)


def test_complex_values_on_the_way():
    first, last = nn.Linear(8, 16), nn.Linear(9, 1)
    chain = trace(
        rewired(nn.ModuleList([first, last]), lambda x: last(torch.fft.rfft(first(x)).abs())), F.mse_loss, (X, Y)
    )
    assert [link.name for link in chain.links] == ["0", "fft_r2c", "1"]
    assert math.prod(gains(chain)) == pytest.approx(chain.total_gain, rel=1e-5)


def test_lazily_built_layers():
    model = nn.Sequential(nn.LazyLinear(16), nn.ReLU(), nn.LazyLinear(1))
    chain = trace(model, F.mse_loss, (X, Y))
    assert [link.kind for link in chain.links] == ["linear", "linear"]
    assert all(torch.nn.parameter.is_lazy(parameter) for parameter in model.parameters())


def test_training_and_eval_mode():
    model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 1))
    with torch.no_grad():
        model[1].running_var.fill_(4.0)
    model.eval()
    chain = trace(model, F.mse_loss, (X, Y))
    assert not model.training
    assert chain.links[0].norm == "native_batch_norm"
    weight = model[0].weight
    scale = (16 * 8 * weight.square().mean() / 16 / (4.0 + 1e-5)).sqrt().item()
    assert chain.links[0].expected_gain == pytest.approx(scale * math.sqrt(0.5), rel=1e-5)
    model.train()
    again = trace(model, F.mse_loss, (X, Y))
    assert model.training and again.links[0].gain != chain.links[0].gain


def test_integer_inputs_have_no_gain_at_the_first_link():
    model = nn.Sequential(nn.Embedding(10, 8), nn.Flatten(), nn.Linear(32, 3))
    chain = trace(model, F.cross_entropy, (torch.randint(0, 10, (16, 4)), torch.zeros(16).long()))
    first, second = chain.links
    assert (first.kind, first.gain, first.ideal_gain) == ("embedding", None, None)
    assert first.gradient_rms > 0
    assert chain.total_gain == pytest.approx(second.gain, rel=1e-6)


def test_a_model_that_refuses_inputs_with_a_gradient():
    model = nn.Linear(8, 1)
    stubborn = rewired(nn.ModuleList([model]), lambda x: model(torch.from_numpy(x.numpy())))
    chain = trace(stubborn, F.mse_loss, (X, Y))
    assert [link.gain for link in chain.links] == [None]
    assert chain.links[0].gradient_rms > 0


def test_an_ensemble_of_networks_in_one_batch():
    class Members(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Parameter(torch.randn(4, 8, 12) / 8**0.5)
            self.shift = nn.Parameter(torch.zeros(4, 1, 12))
            self.second = nn.Parameter(torch.randn(4, 12, 1) / 12**0.5)

        def forward(self, x):
            h = torch.baddbmm(self.shift, x.expand(4, *x.shape), self.first).relu()
            return torch.matmul(h, self.second)

    model = Members()
    with torch.no_grad():
        model.first[1, :, :6] = 0.0
        model.shift[1, :, :6] = -1.0
    chain = trace(model, lambda output, target: (output - target).square().mean(), (X, Y))
    assert [(link.name, link.kind) for link in chain.links] == [("first", "linear"), ("second", "linear")]
    assert chain.links[0].dead == pytest.approx(6 / 48)  # units count by member
    assert chain.links[0].expected_gain == pytest.approx(chain.links[0].gain, rel=0.5)
    assert -1 <= chain.links[0].similarity < 0.9


def test_weights_made_of_other_weights():
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(8, 16)), nn.ReLU(), nn.Linear(16, 1))
    chain = trace(model, F.mse_loss, (X, Y))
    assert [link.kind for link in chain.links] == ["linear", "linear"]
    assert chain.links[0].gain == pytest.approx(chain.links[0].expected_gain, rel=0.4)


def test_non_finite_numbers_are_reported_not_raised():
    model = perceptron()
    with torch.no_grad():
        model[2].weight[0, 0] = math.inf
    chain = trace(model, F.mse_loss, (X, Y))
    assert not math.isfinite(chain.loss)
    assert "nan" in chain.table() or "inf" in chain.table()
    assert chain.figure().startswith("<svg")


def test_the_loss_of_an_output_of_zeros():
    chain = trace(nn.Linear(8, 5), F.cross_entropy, (X, torch.zeros(16).long()))
    assert chain.known_loss == pytest.approx(math.log(5))
    chain = trace(nn.Linear(8, 1), F.binary_cross_entropy_with_logits, (X, torch.ones(16, 1)))
    assert chain.known_loss == pytest.approx(math.log(2))
    assert trace(nn.Linear(8, 1), lambda output, _: output.exp().log().mean() * math.inf, (X, Y)).known_loss is None


def test_errors_say_what_came_and_what_to_try():
    model = nn.Linear(8, 1)
    with pytest.raises(DataError, match=r"must be \(inputs, target\), got Tensor of 16; group several inputs"):
        trace(model, F.mse_loss, X)
    with pytest.raises(RequestError, match=r"one number, got shape \(16, 1\); reduce it"):
        trace(model, lambda output, target: (output - target) ** 2, (X, Y))
    with pytest.raises(RequestError, match=r"output must carry .loss, got dict"):
        trace(rewired(nn.ModuleList([model]), lambda x: {"logits": model(x)}), None, {"x": X})
    with pytest.raises(TrainingError, match="depend on anything that takes a gradient"):
        trace(rewired(nn.ModuleList([model]), lambda x: model(x).detach()), F.mse_loss, (X, Y))
    free = nn.Linear(1, 1)
    alone = rewired(nn.ModuleList([free]), lambda x: free.weight.expand(16, 1))
    with pytest.raises(TrainingError, match="does not depend on the inputs"):
        trace(alone, F.mse_loss, (X, Y))
    with pytest.raises(RequestError, match="spectrum must be a number of singular values, 0 or more, got -1"):
        trace(model, F.mse_loss, (X, Y), spectrum=-1)


def test_compiled_models_are_replayed_eagerly():
    code = """
        import torch, warnings
        from torch import nn
        from evenkeel.chain import trace
        model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
        batch = (torch.randn(16, 8), torch.randn(16, 1))
        plain = trace(model, nn.functional.mse_loss, batch)
        compiled = trace(torch.compile(model), nn.functional.mse_loss, batch)
        assert [link.gain for link in compiled.links] == [link.gain for link in plain.links]
        assert [link.kind for link in compiled.links] == ["linear", "linear"]
        model.compile()
        assert len(trace(model, nn.functional.mse_loss, batch).links) == 2
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_trace_inside_no_grad_and_inference_mode():
    model = perceptron()
    plain = gains(trace(model, F.mse_loss, (X, Y)))
    with torch.no_grad():
        assert gains(trace(model, F.mse_loss, (X, Y))) == plain
    with torch.inference_mode():
        assert gains(trace(model, F.mse_loss, (X.clone(), Y.clone()))) == plain
