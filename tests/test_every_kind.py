"""Chain, watch and checkup read the network of every kind of data as they read anybody's."""

import pytest
import torch

import evenkeel as ek
from _every_kind import EVERY, SMALL
from evenkeel.data.fields import pick
from evenkeel.kinds import PARTS as KINDS
from evenkeel.kinds.choose import kind_of
from evenkeel.run.request import Request


@pytest.fixture(params=EVERY)
def example(request, monkeypatch):
    """A network of a kind, trained a little, and batches of its training rows."""
    seen = {}
    carry_out = Request.carry_out

    def kept(asked, interruption):
        seen["data"] = asked.dataset
        return carry_out(asked, interruption)

    monkeypatch.setattr(Request, "carry_out", kept)
    data, options = EVERY[request.param]
    run = ek.fit(data, progress=False, **{"settings": SMALL, **options})
    fields, target = seen["data"].inputs, seen["data"].target
    rows = torch.from_numpy(seen["data"].split.train[:24]).split(8)
    return run.network.train(), [(dict(pick(fields, part)), target.index_select(0, part)) for part in rows]


def test_every_kind_stands_there():
    kinds = {kind_of(data, options.get("kind"), target=options.get("target")).name for data, options in EVERY.values()}
    assert kinds == {*KINDS} - {"table"}, "tables are tried everywhere else"


def test_chain_watch_and_checkup(example):
    network, batches = example
    before = {name: value.clone() for name, value in network.state_dict().items()}
    chain = ek.trace(network, network.head.loss, batches[0])
    assert chain.batch == 8 and len(chain.links) > 1 and chain.links[-1].backward_rms > 0
    found = ek.checkup(network, network.head.loss, batches, steps=6)
    assert found.steps == 6 and not [each for each in found.findings if each.symptom == "frozen-parameters"]
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    with ek.watch(network, optimizer) as watch:
        for inputs, target in batches:
            optimizer.zero_grad()
            network.loss(inputs, target).backward()
            optimizer.step()
    assert watch.history.steps == 3 and watch.chain is not None and watch.chain.batch == 8
