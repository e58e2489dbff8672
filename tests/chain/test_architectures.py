"""Law: everyday architectures trace without error, and what the trace says of them is sensible."""

import math

import pytest
import torch

from chain._cases import cases
from evenkeel.chain import trace

NAMES = list(cases())


@pytest.fixture(scope="module", params=NAMES)
def traced(request):
    torch.manual_seed(0)
    case = cases()[request.param]
    before = {key: value.clone() for key, value in case.model.state_dict().items()}
    state = torch.random.get_rng_state()
    chain = trace(case.model, case.loss, case.batch)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(value, before[key]) for key, value in case.model.state_dict().items())
    assert all(parameter.grad is None for parameter in case.model.parameters())
    return case, chain


def test_every_kind_is_found(traced):
    case, chain = traced
    assert case.kinds <= {link.kind for _, link in chain.walk()}


def test_every_number_is_finite_and_in_its_range(traced):
    _, chain = traced
    assert math.isfinite(chain.loss)
    assert 0 < chain.total_gain < 100
    for _, link in chain.walk():
        for value in (link.gain, link.expected_gain, link.ideal_gain, link.forward_rms, link.backward_rms):
            assert value is None or (math.isfinite(value) and value >= 0)
        for share in (link.dead, link.saturated):
            assert share is None or 0 <= share <= 1
        assert link.similarity is None or -1.0001 <= link.similarity <= 1.0001


def test_every_matrix_of_the_model_is_the_local_term_of_a_link(traced):
    case, chain = traced
    seen = {term.name for _, link in chain.walk() for term in link.terms}
    whole = {name for name, weight in case.model.named_parameters() if weight.ndim > 1 and weight.shape[0] > 1}
    recurrent = {name for name in whole if "_l0" in name or "_l1" in name}
    assert whole - recurrent <= seen
    for _, link in chain.walk():
        assert all(term.gradient_norm is not None for term in link.terms)


def test_the_total_is_the_product_where_all_cuts_are_exact(traced):
    _, chain = traced
    gains = [link.gain for link in chain.links if link.gain is not None]
    if all(link.exact_cut for link in chain.links):
        assert math.prod(gains) == pytest.approx(chain.total_gain, rel=1e-4)


def test_theory_is_near_what_is_measured(traced):
    _, chain = traced
    plain = [link for _, link in chain.walk() if link.expected_gain and link.gain and link.kind == "linear"]
    for link in plain:
        assert abs(math.log10(link.gain / link.expected_gain)) < 0.5, link.name


def test_the_table_reads(traced):
    _, chain = traced
    lines = chain.table().splitlines()
    assert lines[0].split()[:3] == ["link", "what", "gain"]
    assert any(line.startswith("total gain ") for line in lines)
    assert all(len(line) <= 120 for line in lines)
    assert str(chain) == chain.table()


def test_the_figure_is_one_svg_document(traced):
    _, chain = traced
    drawn = chain.figure()
    assert drawn.startswith("<svg") and drawn.endswith("</svg>")
    assert "nan" not in drawn.lower().split("<title>")[0]


def test_a_transformers_model_built_from_a_config():
    transformers = pytest.importorskip("transformers")
    config = transformers.GPT2Config(n_embd=16, n_head=2, n_layer=2, vocab_size=40, n_positions=16)
    ids = torch.randint(0, 40, (3, 8))
    chain = trace(transformers.GPT2LMHeadModel(config), None, {"input_ids": ids, "labels": ids})
    assert {"residual", "attention", "linear"} <= {link.kind for _, link in chain.walk()}


def test_a_graph_network_of_torch_geometric():
    geometric = pytest.importorskip("torch_geometric.nn")
    layer = geometric.GATConv(8, 3)
    edges = torch.tensor([[0, 1, 2, 3], [1, 2, 3, 0]])
    chain = trace(layer, torch.nn.functional.cross_entropy, ((torch.randn(4, 8), edges), torch.zeros(4).long()))
    assert any(link.kind == "linear" for _, link in chain.walk())
