import pytest
import torch
from torch import nn

from _unchecked import unchecked
from evenkeel.chain import trace
from evenkeel.errors import RequestError
from evenkeel.finding import Finding
from evenkeel.observe import watch
from evenkeel.observe import watch as _watch_function
from observe._loops import SUBJECTS, alike, everything, same, small, step, subject


@pytest.fixture(autouse=True)
def nothing_compiled():
    """Where any function was compiled, models are replayed: these tests mean the live graph."""
    torch._dynamo.reset()


@pytest.mark.parametrize("options", [{}, {"every": 1}, {"every": 3}], ids=str)
@pytest.mark.parametrize("name", SUBJECTS)
def test_a_run_is_the_same_to_the_bit(name, options):
    found = []
    for observed in (False, True):
        model, x = subject(name)
        optimizer = torch.optim.Adam(model.parameters(), 1e-2)
        torch.manual_seed(5)
        if observed:
            with watch(model, optimizer, **options) as looked:
                losses = [step(model, optimizer, x) for _ in range(7)]
            assert looked.notes == [] and looked.chain is not None
        else:
            losses = [step(model, optimizer, x) for _ in range(7)]
        found.append(everything(model, optimizer) | {"losses": torch.stack(losses)})
    same(*found)


def test_a_difference_would_be_seen():
    model, x = subject("perceptron")
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    step(model, optimizer, x)
    before = everything(model, optimizer)
    torch.rand(1)
    with pytest.raises(AssertionError):
        same(before, everything(model, optimizer))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_bit_identical_under_sgd_where_gradients_stay_lying(momentum):
    found = []
    for observed in (False, True):
        model, x = subject("shared")
        optimizer = torch.optim.SGD(model.parameters(), 1e-2, momentum=momentum, weight_decay=1e-3)
        looked = watch(model, optimizer, every=1)
        if observed:
            looked.__enter__()
        for _ in range(5):
            optimizer.zero_grad(set_to_none=False)
            (model(x) - 1).square().mean().backward()
            optimizer.step()
        if observed:
            looked.__exit__(None, None, None)
        found.append(everything(model, optimizer))
    same(*found)


def test_steps_losses_and_looks():
    torch.manual_seed(0)
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, optimizer, every=3) as looked:
        losses = [float(step(model, optimizer, x)) for _ in range(8)]
    history = looked.history
    assert history.steps == 8 and [point.step for point in history.losses] == list(range(1, 9))
    assert [point.loss for point in history.losses] == pytest.approx(losses, rel=1e-6)
    assert [look.step for look in history.looks] == [1, 3, 6]
    assert [look.loss for look in history.looks] == pytest.approx([losses[0], losses[2], losses[5]], rel=1e-6)
    assert history.sizes == (12,) * 8 and history.optimizer == "descent" and history.outside == ()
    assert looked.chain is history.looks[-1].chain
    assert looked.cost > 0


@pytest.mark.parametrize("name", [name for name in SUBJECTS if name != "shared"])
def test_a_look_is_a_trace_of_the_same_weights(name):
    model, x = subject(name)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    torch.manual_seed(9)
    expected = trace(model, lambda output, target: (output - 1).square().mean(), (x, None))
    torch.manual_seed(9)
    with watch(model, optimizer, every=1) as looked:
        step(model, optimizer, x)
    alike(looked.history.looks[0].chain, expected)


def test_findings_are_told_once_and_again_when_graver():
    model = small()
    looked = watch(model, torch.optim.SGD(model.parameters(), 0.01))
    told = []
    looked.on_finding(told.append)
    for grade in ("note", "note", "critical", "warning", "critical"):
        looked._findings = (Finding(symptom="overfitting", where="x", severity=grade, sentence="."),)
        looked._report()
    assert [finding.severity for finding in told] == ["note", "critical"]


def test_a_value_that_is_not_finite_is_judged_at_once():
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    told = []
    with watch(model, optimizer) as looked:
        looked.on_finding(lambda finding: told.append((looked.history.steps, finding)))
        for number in range(30):
            given = x.clone()
            if number == 20:
                given[3, 2] = torch.nan
            step(model, optimizer, given)
    [(at, finding)] = [(at, one) for at, one in told if one.symptom == "non-finite"]
    assert at == 21 and finding.cause == "data-scale"


def test_a_gradient_that_is_not_finite_under_a_finite_loss():
    class Root(nn.Module):
        def forward(self, x):
            return torch.where(x > 0, (x * (x > 0)).sqrt(), torch.zeros_like(x))

    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 8), Root(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, optimizer) as looked:
        for _ in range(3):
            step(model, optimizer, torch.randn(12, 6))
    found = looked.history.non_finite
    assert (found.step, found.where, found.operation, found.direction) == (1, "3", "sqrt", "backward")
    assert found.replayed


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda m, o: ("net", o), "takes a torch.nn.Module and its optimizer, got str"),
        (lambda m, o: (m, []), "takes a torch optimizer or a list of them"),
        (lambda m, o: (m, [m]), "takes a torch optimizer or a list of them"),
    ],
)
def test_wrong_requests(given, words):
    model = small()
    with unchecked(), pytest.raises(RequestError, match=words):
        _watch_function(*given(model, torch.optim.SGD(model.parameters(), 0.1)))


def test_parameters_that_no_optimizer_holds():
    model = small()
    looked = watch(model, torch.optim.SGD(model[:3].parameters(), 0.01))
    assert looked.record.outside == ("4.weight", "4.bias", "6.weight", "6.bias")
