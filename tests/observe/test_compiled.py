"""Compiled models are replayed; they stay compiled, and end with the same weights. In processes without type checks."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys, warnings
warnings.simplefilter("error")
import torch
from torch import nn
from torch._dynamo.utils import counters
from evenkeel.chain import trace
from evenkeel.observe import watch

torch.set_num_threads(1)
kind, backend = sys.argv[1:]

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(6, 16), nn.Linear(16, 1)
    def forward(self, x):
        return self.last(nn.functional.dropout(self.first(x).relu(), 0.2, self.training))

def made():
    torch._dynamo.reset()
    torch.manual_seed(0)
    model = Network()
    if kind == "method":
        model.compile(backend=backend, fullgraph=True)
    if kind == "part":
        model.first = torch.compile(model.first, backend=backend, fullgraph=True)
    if kind == "function":
        squash = torch.compile(lambda x: torch.tanh(x) * 2, backend=backend, fullgraph=True)
        class Squashed(nn.Module):
            def __init__(self, model):
                super().__init__()
                self.model = model
            def forward(self, x):
                return self.model(squash(x))
        return Squashed(model), None
    return model, torch.compile(model, backend=backend, fullgraph=True) if kind in ("whole", "inside") else None

def run(observed):
    counters.clear()
    model, compiled = made()
    called = model if compiled is None else compiled
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    torch.manual_seed(1)
    x = torch.randn(12, 6)
    looked = watch(model if kind == "inside" else called, optimizer, every=2)
    if observed:
        looked.__enter__()
    for _ in range(5):
        optimizer.zero_grad()
        (called(x) - 1).square().mean().backward()
        optimizer.step()
    if observed:
        looked.__exit__(None, None, None)
    weights = torch.cat([p.detach().flatten() for p in model.parameters()]).tolist()
    return looked, weights + torch.get_rng_state().tolist(), dict(counters["stats"])

_, plain, frames = run(False)
looked, weights, frames_observed = run(True)
model, _ = made()
torch.manual_seed(1)
x = torch.randn(12, 6)
with torch.compiler.set_stance("force_eager"), warnings.catch_warnings(action="ignore"):
    expected = trace(model, lambda output, target: (output - 1).square().mean(), (x, None))
first = looked.history.looks[0].chain
print(json.dumps({
    "same": plain == weights, "frames": frames == frames_observed, "compiled": frames.get("unique_graphs", 0),
    "looks": [look.step for look in looked.history.looks], "notes": looked.notes,
    "links": None if first is None else [link.name for link in first.links],
    "gains": None if first is None else [link.gain for link in first.links],
    "expected": [link.gain for link in expected.links],
    "loss": None if first is None else first.loss, "expected_loss": expected.loss,
}))
"""


def run(kind: str, backend: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, kind, backend], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("kind", "backend"), [("whole", "aot_eager"), ("method", "eager"), ("part", "eager"), ("function", "aot_eager")]
)
def test_replayed(kind, backend):
    found = run(kind, backend)
    assert found["same"] and found["frames"] and found["compiled"] > 0
    assert found["looks"] == [1, 2, 4] and found["notes"] == []
    assert found["loss"] == pytest.approx(found["expected_loss"], rel=1e-5)
    assert found["gains"] == pytest.approx(found["expected"], rel=1e-4)


def test_a_model_watched_inside_its_compiled_self():
    """Its call is compiled together with the hooks, which then say nothing: weights are looked at all the same."""
    found = run("inside", "aot_eager")
    assert found["same"] and found["frames"] and found["looks"] == [1, 2, 4]
    assert found["links"] is None and len(found["notes"]) == 1 and "not called" in found["notes"][0]
