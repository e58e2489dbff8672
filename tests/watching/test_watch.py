import gc
import weakref

import pytest
import torch
from torch import nn
from torch.amp.grad_scaler import GradScaler
from torch.nn import functional as F  # noqa: N812
from torch.nn.modules import module as module_hooks

from _unchecked import unchecked
from evenkeel.chain import trace
from evenkeel.errors import RequestError
from evenkeel.finding import Finding
from evenkeel.watching import watch
from evenkeel.watching import watch as _watch_function
from evenkeel.watching.watch import MOST_NOTES
from watching._loops import SUBJECTS, everything, same, small, step, subject, watched


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


def alike(found, expected):
    assert [link.name for link in found.links] == [link.name for link in expected.links]
    assert found.loss == pytest.approx(expected.loss, rel=1e-5)
    assert found.output_gradient == pytest.approx(expected.output_gradient, rel=1e-4)
    for place, (one, other) in enumerate(zip(found.links, expected.links, strict=True)):
        assert one.kind == other.kind and one.activation == other.activation
        if place:
            assert one.gain == pytest.approx(other.gain, rel=1e-4)
            assert (one.expected_gain or 0) == pytest.approx(other.expected_gain or 0, rel=1e-4)
        assert one.forward_rms == pytest.approx(other.forward_rms, rel=1e-4)
        assert one.backward_rms == pytest.approx(other.backward_rms, rel=1e-4)
        assert [term.gradient_norm for term in one.terms] == pytest.approx(
            [term.gradient_norm for term in other.terms], rel=1e-4
        )


@pytest.mark.parametrize("cleared", [True, False])
def test_accumulation_is_one_look_a_step(cleared):
    model, parts = small(), torch.randn(4, 12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    seen = []
    with watch(model, optimizer, every=1) as looked:
        for _ in range(3):
            losses = []
            for part in parts:
                loss = (model(part) - 1).square().mean() / 4
                loss.backward()
                losses.append(float(loss.detach()))
            seen.append(sum(losses) / 4)
            gradient = torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()
            optimizer.step()
            if cleared:
                optimizer.zero_grad()
            assert looked.history.looks[-1].gradient_norm == pytest.approx(gradient, rel=1e-5)
    history = looked.history
    assert history.steps == 3 and [look.step for look in history.looks] == [1, 2, 3]
    assert [point.loss for point in history.losses] == pytest.approx(seen, rel=1e-5)
    carried = [look.carried for look in history.looks]
    assert carried[0] == 0
    assert all(one == 0 for one in carried) if cleared else all(one > 0.2 for one in carried[1:])
    assert ("accumulating-gradient" in {one.symptom for one in looked.findings}) is not cleared


def test_a_forgotten_zero_grad_is_found():
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    with watch(model, optimizer, every=1) as looked:
        for _ in range(6):
            (model(x) - 1).square().mean().backward()
            optimizer.step()
    assert "accumulating-gradient" in {finding.symptom for finding in looked.findings}


def test_a_scaler_is_divided_out():
    torch.manual_seed(0)
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    expected = trace(model, lambda output, target: (output - 1).square().mean(), (x, None))
    scaler = GradScaler("cpu", init_scale=1024.0)
    norms = []
    with watch(model, optimizer, every=1) as looked:
        for number in range(4):
            optimizer.zero_grad()
            loss = (model(x) - 1).square().mean()
            scaler.scale(loss).backward()
            norms.append(torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item())
            if number == 2:
                next(model.parameters()).grad[0, 0] = torch.inf
            scaler.step(optimizer)
            scaler.update()
    history = looked.history
    assert history.steps == 4 and history.skipped == 1
    assert [point.loss for point in history.losses] == pytest.approx([expected.loss] * 4, rel=1e-5)
    alike(history.looks[0].chain, expected)
    assert history.looks[0].gradient_norm == pytest.approx(norms[0] / 1024, rel=1e-5)
    assert history.non_finite is None
    [skipping] = [finding for finding in looked.findings if finding.symptom == "non-finite"]
    assert skipping.severity == "note"


def test_a_fused_step_that_a_scaler_left_out_is_counted():
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    scaler = GradScaler("cpu", init_scale=1024.0)
    with watch(model, optimizer, every=1) as looked:
        for number in range(4):
            optimizer.zero_grad()
            scaler.scale((model(x) - 1).square().mean()).backward()
            norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item() / 1024
            if number == 2:
                next(model.parameters()).grad[0, 0] = torch.inf
            scaler.step(optimizer)
            if number == 0:
                assert looked.history.looks[0].gradient_norm == pytest.approx(norm, rel=1e-4)
            scaler.update()
    assert looked.history.steps == 4 and looked.history.skipped == 1 and looked.notes == []


def test_another_scaled_optimizer_is_not_ours():
    model, other, x = small(), small(), torch.randn(12, 6)
    ours, theirs = (torch.optim.SGD(one.parameters(), 0.01) for one in (model, other))
    scaler = GradScaler("cpu")
    with watch(model, ours, every=1) as looked:
        for _ in range(3):
            theirs.zero_grad()
            scaler.scale(other(x).square().mean()).backward()
            scaler.step(theirs)
            scaler.update()
            step(model, ours, x)
    assert looked.history.steps == 3 and looked.history.skipped == 0
    assert len(looked.history.losses) == 3 and looked.notes == []


def test_adversaries_are_told_apart():
    """The discriminator's loss is none of the generator's, although the generator ran before it."""
    generator, judge = small(inputs=6), nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 1))
    ours = torch.optim.Adam(generator.parameters(), 1e-3)
    theirs = torch.optim.Adam(judge.parameters(), 1e-3)
    losses = []
    with watch(generator, ours, every=1) as first, watch(judge, theirs, every=1) as second:
        for _ in range(4):
            noise = torch.randn(12, 6)
            theirs.zero_grad()
            (judge(torch.randn(12, 1)).square().mean() + judge(generator(noise).detach()).square().mean()).backward()
            theirs.step()
            ours.zero_grad()
            loss = 7 + judge(generator(noise)).square().mean()
            loss.backward()
            ours.step()
            losses.append(float(loss.detach()))
    assert [point.loss for point in first.history.losses] == pytest.approx(losses, rel=1e-5)
    assert first.notes == second.notes == []
    # In the steps that count the generator ran twice, and the second pass is the one that was differentiated.
    assert [link.name for link in first.chain.links] == ["0#2", "2#2", "4#2", "6#2"]
    assert second.chain is not None and len(second.history.looks) == 4


class Pair(nn.Module):
    """Two networks in one module that is never called itself."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = small(), small()


def test_parts_of_a_model_that_is_not_called():
    model, x = Pair(), torch.randn(12, 6)
    optimizers = [torch.optim.SGD(part.parameters(), 0.01) for part in (model.left, model.right)]
    with watch(model, optimizers, every=1) as looked:
        for _ in range(3):
            for part, optimizer in zip((model.left, model.right), optimizers, strict=True):
                step(part, optimizer, x)
    looks = looked.history.looks
    assert [look.step for look in looks] == [1, 2, 3] and looked.history.steps == 3
    assert len(looks[0].parameters) == len(list(model.parameters())) and looks[0].chain is None
    assert len(looked.notes) == 1 and "not called" in looked.notes[0]


def test_parameter_groups_in_two_optimizers():
    model, x = small(), torch.randn(12, 6)
    optimizers = [torch.optim.SGD(model[:3].parameters(), 0.01), torch.optim.Adam(model[3:].parameters(), 0.02)]
    with watch(model, optimizers, every=2) as looked:
        for _ in range(4):
            for optimizer in optimizers:
                optimizer.zero_grad()
            (model(x) - 1).square().mean().backward()
            for optimizer in optimizers:
                optimizer.step()
    looks = looked.history.looks
    assert [look.step for look in looks] == [1, 2, 4] and looked.history.steps == 4
    assert all(len(look.parameters) == len(list(model.parameters())) for look in looks)
    assert looks[0].rate == 0.02 and looks[0].chain is not None and looked.history.outside == ()


def test_a_second_optimizer_that_seldom_steps_does_not_hold_up_looks():
    model, x = small(), torch.randn(12, 6)
    often, seldom = torch.optim.SGD(model[:3].parameters(), 0.01), torch.optim.SGD(model[3:].parameters(), 0.01)
    with watch(model, [often, seldom], every=1) as looked:
        for number in range(6):
            step(model, often, x)
            if number == 4:
                seldom.step()
    assert [look.step for look in looked.history.looks] == [1, 2, 3, 4, 5]


def test_validation_between_passes_is_no_step():
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, optimizer, every=1) as looked:
        for _ in range(3):
            optimizer.zero_grad()
            output = model(x)
            with torch.no_grad():
                model(torch.randn(30, 6))
            with torch.inference_mode():
                model(torch.randn(31, 6))
            (output - 1).square().mean().backward()
            optimizer.step()
            model.eval()
            model(torch.randn(50, 6)).mean().item()  # gradients on, and nobody differentiates
            model.train()
    assert looked.notes == [] and looked.history.steps == 3
    assert [len(look.chain.links) for look in looked.history.looks] == [4, 4, 4]


def test_passes_that_nobody_differentiates_are_let_go():
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    outputs = []
    with watch(model, optimizer, every=1) as looked:
        for _ in range(40):
            outputs.append(weakref.ref(model(x)))
        alive = sum(one() is not None for one in outputs)
        step(model, optimizer, x)
    assert 0 < alive <= 16 and looked.chain is not None and looked.notes == []


def test_two_passes_before_one_backward():
    model, left, right = small(), torch.randn(12, 6), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, optimizer, every=1) as looked:
        for _ in range(3):
            optimizer.zero_grad()
            loss = (model(left) - model(right)).square().mean()
            loss.backward()
            norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()
            optimizer.step()
    assert looked.notes == [] and len(looked.history.looks) == 3
    assert looked.history.looks[-1].gradient_norm == pytest.approx(norm, rel=1e-5)
    assert looked.chain.output_gradient > 0


class Named(nn.Module):
    """Takes names, gives a mapping and a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(6, 8), nn.Linear(8, 1)

    def forward(self, *, given, scale=1.0, **more):
        features = self.body(given * scale).relu()
        return {"prediction": self.head(features), "rest": (features, [more["note"]])}


def test_mappings_and_names():
    model, x = Named(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, optimizer, every=1) as looked:
        for _ in range(2):
            optimizer.zero_grad()
            model(given=x, note="n")["prediction"].square().mean().backward()
            optimizer.step()
    assert looked.notes == [] and [link.name for link in looked.chain.links] == ["body", "head"]


def test_a_closure_is_one_step():
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=4)
    firsts, calls = [], []

    with watch(model, optimizer, every=1) as looked:
        for _ in range(3):
            calls.clear()

            def closure():
                optimizer.zero_grad()
                loss = (model(x) - 1).square().mean()
                loss.backward()
                calls.append(float(loss.detach()))
                return loss

            optimizer.step(closure)
            firsts.append(calls[0])
    history = looked.history
    assert history.steps == 3 and len(calls) > 1 and looked.notes == []
    assert [point.loss for point in history.losses] == pytest.approx(firsts, rel=1e-5)
    assert all(look.chain is not None and look.gradient_norm for look in history.looks)
    assert all(row.update_rms and row.moved for row in history.looks[-1].parameters)


def marks(model, optimizer):
    """Where a hook could be left."""
    hooks = {name: len(value) for name, value in vars(module_hooks).items() if name.startswith("_global") and value}
    inside = [
        len(getattr(module, name))
        for module in model.modules()
        for name in vars(module)
        if "hooks" in name and "state_dict" not in name
    ]
    leaves = [len(one._backward_hooks or {}) for one in model.parameters()]
    steps = [len(optimizer._optimizer_step_pre_hooks), len(optimizer._optimizer_step_post_hooks)]
    return hooks, sum(inside), leaves, steps, torch.autograd.backward, GradScaler.scale, GradScaler.step, gc.isenabled()


@pytest.mark.parametrize("where", ["never", "forward", "backward", "between", "callback"])
def test_everything_is_taken_away(where):
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    before = marks(model, optimizer)

    class Stopped(Exception):  # noqa: N818
        pass

    def stop(*given):
        raise Stopped

    def run():
        with watch(model, optimizer, every=1) as looked:
            step(model, optimizer, x)
            if where == "callback":
                looked.on_finding(stop)
                looked._findings = (Finding(symptom="overfitting", where="x", severity="note", sentence="."),)
                looked._tell()
            if where == "forward":
                handle = model[2].register_forward_hook(stop)
                stack.append(handle)
                model(x)
            output = model(x)
            if where == "backward":
                output.register_hook(stop)
                output.mean().backward()
            if where == "between":
                output.mean().backward()
                stop()

    stack = []
    if where == "never":
        run()
    else:
        with pytest.raises(Stopped):
            run()
    for handle in stack:
        handle.remove()
    assert marks(model, optimizer) == before
    assert marks(model, optimizer)[4].__module__ == "torch.autograd"


def test_the_marks_would_show_a_hook():
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    before = marks(model, optimizer)
    with watch(model, optimizer, every=1):
        assert marks(model, optimizer) != before


def test_a_backward_that_raises_and_is_caught_does_not_end_the_watch():
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, optimizer, every=1) as looked:
        output = model(x)
        output.register_hook(lambda gradient: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            output.mean().backward()
        for _ in range(3):
            step(model, optimizer, x)
    assert looked.history.steps == 3 and looked.chain is not None


def test_a_look_that_fails_is_noted_and_training_goes_on(monkeypatch):
    def broken(*given, **named):
        raise ValueError("no such thing\nmore")

    monkeypatch.setattr("evenkeel.chain.live.Measurement", broken)
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, optimizer, every=1) as looked:
        for _ in range(MOST_NOTES + 8):
            step(model, optimizer, x)
    assert looked.history.steps == MOST_NOTES + 8 and len(looked.notes) == MOST_NOTES
    assert looked.notes[-1] == f"step {MOST_NOTES + 8}: could not look: ValueError: no such thing"
    assert looked.chain is None


def test_what_goes_wrong_while_recording_does_not_reach_the_model(monkeypatch):
    monkeypatch.setattr("evenkeel.chain.record.Operation", lambda **named: 1 / 0)
    found = []
    for observed in (False, True):
        torch.manual_seed(0)
        model, x = small(), torch.randn(12, 6)
        optimizer = torch.optim.SGD(model.parameters(), 0.01)
        if observed:
            with watch(model, optimizer, every=1) as looked:
                step(model, optimizer, x)
            assert len(looked.notes) == 1 and "could not be recorded: division by zero" in looked.notes[0]
        else:
            step(model, optimizer, x)
        found.append(everything(model, optimizer))
    same(*found)


def test_findings_are_told_once_and_again_when_graver():
    model = small()
    looked = watch(model, torch.optim.SGD(model.parameters(), 0.01))
    told = []
    looked.on_finding(told.append)
    for grade in ("note", "note", "critical", "warning", "critical"):
        looked._findings = (Finding(symptom="overfitting", where="x", severity=grade, sentence="."),)
        looked._tell()
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


def test_a_loss_that_backward_is_not_called_on():
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, optimizer, every=1) as looked:
        for _ in range(3):
            loss = looked.loss((model(x) - 1).square().mean())
            for parameter, gradient in zip(
                model.parameters(), torch.autograd.grad(loss, list(model.parameters())), strict=True
            ):
                parameter.grad = gradient
            optimizer.step()
    assert len(looked.history.losses) == 3 and looked.history.steps == 3
    assert looked.history.looks[-1].gradient_norm > 0


def test_a_told_loss_is_not_counted_twice():
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, optimizer) as looked:
        for _ in range(3):
            optimizer.zero_grad()
            loss = (model(x) - 1).square().mean()
            looked.loss(loss * 0 + 5)
            loss.backward()
            optimizer.step()
    assert [point.loss for point in looked.history.losses] == [5, 5, 5]


def test_steps_that_the_loop_asks_for():
    """A loop that asks (`due`, `looking`, `passed`) instead of being watched all the time."""
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    looked = watch(model, optimizer, every=3)
    for _ in range(7):
        if looked.due():
            with looked.looking():
                step(model, optimizer, x)
        else:
            looked.passed(step(model, optimizer, x))
    assert [look.step for look in looked.history.looks] == [1, 3, 6]
    assert looked.history.steps == 7 and len(looked.history.losses) == 7


def test_checkpointed_parts_run_once_more_unseen():
    from torch.utils.checkpoint import checkpoint

    class Frugal(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = small(), nn.Linear(1, 1)

        def forward(self, x):
            return self.head(checkpoint(self.body, x, use_reentrant=False))

    model = Frugal()
    looked = watched(model, 3, every=1)
    assert looked.notes == [] and looked.history.steps == 3 and looked.chain is not None


def test_a_frozen_model_under_autocast():
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, optimizer, every=1) as looked:
        for _ in range(2):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):
                loss = F.mse_loss(model(x).float(), torch.ones(12, 1))
            loss.backward()
            optimizer.step()
    assert looked.notes == [] and len(looked.chain.links) == 4


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
