import pytest
import torch
from torch import nn

from evenkeel.observe.look import Probe, sharded
from observe._loops import small


@pytest.fixture(autouse=True)
def nothing_compiled():
    torch._dynamo.reset()


def measured(model, optimizer, x, unit=None, lying=None):
    probe = Probe(model, [optimizer])
    probe.enter(((x,), {}))
    output = model(x)
    probe.leave(output)
    for parameter in model.parameters():
        parameter.grad = None if lying is None else torch.full_like(parameter, lying)
    loss = output.square().mean() * (1 if unit is None else unit)
    probe.attach(loss, unit)
    loss.backward()
    probe.measure()
    if unit is not None:
        for parameter in model.parameters():
            parameter.grad /= unit
    probe.step_begins(optimizer)
    optimizer.step()
    probe.step_ends(optimizer)
    return probe


def test_one_step():
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.25)
    probe = measured(model, optimizer, x)
    assert probe.measured and probe.stepped(optimizer)
    found = probe.look(7, 1.5)
    gradient = torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()
    assert (found.step, found.loss, found.rate, found.carried) == (7, 1.5, 0.25, 0)
    assert found.gradient_norm == pytest.approx(gradient, rel=1e-5)
    assert [row.name for row in found.parameters] == [name for name, _ in model.named_parameters()]
    assert len(found.chain.links) == 4 and found.evaluating == ()


def test_a_factor_is_divided_out():
    model, x = small(), torch.randn(12, 6)
    plain = measured(model, torch.optim.SGD(model.parameters(), 0.0), x).look(1, None)
    scaled = measured(model, torch.optim.SGD(model.parameters(), 0.0), x, torch.tensor(1024.0)).look(1, None)
    assert scaled.gradient_norm == pytest.approx(plain.gradient_norm, rel=1e-5)
    assert scaled.chain.output_gradient == pytest.approx(plain.chain.output_gradient, rel=1e-5)
    assert scaled.chain.loss == pytest.approx(plain.chain.loss, rel=1e-5)
    terms = [[term.gradient_norm for link in one.chain.links for term in link.terms] for one in (plain, scaled)]
    assert terms[1] == pytest.approx(terms[0], rel=1e-4)


def test_what_lay_there_before():
    model, x = small(), torch.randn(12, 6)
    count = sum(p.numel() for p in model.parameters())
    found = measured(model, torch.optim.SGD(model.parameters(), 0.0), x, lying=0.5).look(1, None)
    assert found.carried == pytest.approx(0.5 * count**0.5 / found.gradient_norm, rel=1e-5)
    clean = measured(model, torch.optim.SGD(model.parameters(), 0.0), x).look(1, None)
    alike = measured(model, torch.optim.SGD(model.parameters(), 0.0), x, lying=0.0).look(1, None)
    norms = [[term.gradient_norm for link in one.chain.links for term in link.terms] for one in (clean, alike, found)]
    assert norms[0] == pytest.approx(norms[1], rel=1e-6) and norms[0] == pytest.approx(norms[2], rel=1e-4)
    assert alike.carried == 0


def test_a_loss_of_another_model_is_passed_over():
    model, other, x = small(), small(), torch.randn(12, 6)
    probe = Probe(model, [torch.optim.SGD(model.parameters(), 0.1)])
    probe.enter(((x,), {}))
    output = model(x)
    probe.leave(output)
    theirs = other(x).mean()
    probe.attach(theirs, None)
    theirs.backward()
    probe.measure()
    assert not probe.measured
    probe.attach(output.mean(), None)
    output.mean().backward()
    probe.drop()


def test_layers_in_evaluation_mode():
    model = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(4, 1))
    model[1].eval()
    assert Probe(model, []).look(1, None).evaluating == ("1",)


def test_an_empty_probe():
    found = Probe(small(), []).look(1, None)
    assert (found.gradient_norm, found.carried, found.chain) == (None, None, None)
    assert all((row.gradient_rms, row.update_rms, row.moved) == (None, None, None) for row in found.parameters)


def test_what_no_optimizer_holds_is_looked_at_too():
    model = small()
    optimizer = torch.optim.SGD(model[2].parameters(), lr=0.1)
    probe = Probe(model, [optimizer], "brief")
    loss = model(torch.ones(4, 6)).square().mean()
    probe.attach(loss, None)
    loss.backward()
    probe.measure()
    probe.step_begins(optimizer)
    optimizer.step()
    probe.step_ends(optimizer)
    rows = {row.name: row for row in probe.look(1, float(loss.detach())).parameters}
    assert set(rows) == {name for name, _ in model.named_parameters()}
    assert rows["2.weight"].update_rms and rows["0.weight"].update_rms is None
    assert rows["0.weight"].gradient_rms == pytest.approx(float(model[0].weight.grad.square().mean().sqrt()))


def test_a_brief_probe_leaves_the_chain_out_and_sees_what_lay_there():
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):  # the second step adds to the gradient of the first
        probe = Probe(model, [optimizer], "brief")
        loss = model(torch.ones(4, 6)).square().mean()
        probe.attach(loss, None)
        loss.backward()
        probe.measure()
        probe.step_begins(optimizer)
        optimizer.step()
        probe.step_ends(optimizer)
        look = probe.look(1, float(loss.detach()))
    assert look.chain is None and look.carried is not None and look.carried > 0.1


def test_where_a_model_is_replayed():
    model = small()
    assert type(Probe(model, [])._method.look).__name__ == "LiveLook"
    model[2].compile(backend="eager")
    torch._dynamo.reset()
    assert type(Probe(model, [])._method.look).__name__ == "ReplayLook"
    assert type(Probe(small(), [])._method.look).__name__ == "LiveLook"
    compiled = torch.compile(lambda x: x + 1, backend="eager")
    assert compiled is not None and type(Probe(small(), [])._method.look).__name__ == "ReplayLook"
    torch._dynamo.reset()
    assert not sharded(model)
