import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from _unchecked import unchecked
from evenkeel.errors import DataError, RequestError, ShapeError
from evenkeel.heads import SingleLabel
from evenkeel.nets import RNN
from evenkeel.nets.recurrent_layers import CELLS
from nets._samples import links_of, spread

SMALL = {"width": 32, "depth": 2}
POOLINGS = ["last", "mean", "attention", None]
LENGTHS = torch.tensor([9, 1, 4, 7])
every_cell = pytest.mark.parametrize("cell", CELLS)
every_pooling = pytest.mark.parametrize("pooling", POOLINGS)


def recurrent_links(chain):
    return [link for _, link in chain.walk() if link.kind == "recurrent"]


@pytest.mark.parametrize(
    "options",
    [
        {"cell": "lstm"},
        {"cell": "rnn"},
        {"cell": "rnn", "activation": "relu", "depth": 32},
        {"cell": "lstm", "span": 100},
        {"cell": "gru", "span": 100},
        {"direction": "both"},
        {"direction": "both", "pooling": "attention"},
        {"pooling": "mean"},
        {"norm": "rms"},
        {"norm": None},
    ],
    ids=str,
)
def test_the_gradient_is_even_and_the_eyes_are_open_with_any_option(options):
    net = RNN(3, **{"width": 64, "depth": 8, **options})
    least, greatest, similarity = spread(links_of(net, torch.randn(32, 8, 3)))
    assert least > 0.1 and greatest < 10 and similarity < 0.9


@every_cell
@every_pooling
@pytest.mark.parametrize("direction", ["past", "both"])
def test_padding_changes_nothing_with_any_cell_direction_and_pooling(cell, direction, pooling):
    net = RNN(3, cell=cell, direction=direction, pooling=pooling, **SMALL).eval()
    for name, parameter in net.named_parameters():  # as after training: nothing is zero by the luck of the start
        if "bias" in name or "query" in name:
            nn.init.normal_(parameter)
    values = torch.randn(4, 9, 3)
    found = net(values.masked_fill((torch.arange(9) >= LENGTHS[:, None])[:, :, None], torch.nan), LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = net(values[row : row + 1, :length])[0]
        torch.testing.assert_close(found[row] if pooling else found[row, :length], alone, atol=1e-5, rtol=1e-4)
        if not pooling:
            assert not found[row, length:].any()


def test_the_last_step_is_the_last_that_each_direction_has_read():
    """Both halves know all steps; the features of the very last step would know it alone of those read backwards."""
    values, nets = torch.randn(4, 9, 3), {}
    for pooling in ("last", None):
        torch.manual_seed(1)
        nets[pooling] = RNN(3, direction="both", pooling=pooling, norm=None, **SMALL)
    steps, found = nets[None](values, LENGTHS), nets["last"](values, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        torch.testing.assert_close(found[row], torch.cat((steps[row, length - 1, :16], steps[row, 0, 16:])))


@pytest.mark.parametrize("norm", ["layer", "rms", None])
def test_the_future_does_not_change_the_past(norm):
    tokens = torch.randint(50, (4, 20))
    other = tokens.clone()
    other[:, 12:] = (other[:, 12:] + 1) % 50
    net = RNN(vocabulary=50, pooling=None, norm=norm, **SMALL)
    assert torch.equal(net(tokens)[:, :12], net(other)[:, :12])
    assert (net(tokens)[:, 12] - net(other)[:, 12]).abs().max() > 1e-3
    both = RNN(vocabulary=50, pooling=None, norm=norm, direction="both", **SMALL)
    assert (both(tokens)[:, :12] - both(other)[:, :12]).abs().max() > 1e-3


@every_cell
@pytest.mark.parametrize("kind", ["tokens", "values"])
def test_reading_on_is_the_same_as_reading_all_at_once(cell, kind):
    options = {"cell": cell, "pooling": None, **SMALL}
    net = (RNN(vocabulary=50, **options) if kind == "tokens" else RNN(3, **options)).eval()
    values = torch.randint(50, (3, 20)) if kind == "tokens" else torch.randn(3, 20, 3)
    state, found = None, []
    for piece in values.split([7, 1, 1, 5, 6], dim=1):
        features, state = net.extend(piece, state)
        found.append(features)
    torch.testing.assert_close(torch.cat(found, dim=1), net(values), atol=1e-5, rtol=1e-4)
    assert (state.steps, state.batch) == (20, 3)


def test_two_texts_go_on_from_one_state():
    net, tokens = RNN(vocabulary=50, cell="lstm", **SMALL).eval(), torch.randint(50, (2, 9))
    _, state = net.extend(tokens[:, :8])
    first, _ = net.extend(tokens[:, 8:], state)
    net.extend((tokens[:, 8:] + 1) % 50, state)
    again, _ = net.extend(tokens[:, 8:], state)
    assert torch.equal(first, again) and state.steps == 8


def test_only_a_net_that_looks_back_alone_can_read_on():
    with pytest.raises(RequestError, match="only a net that reads the past alone can read on; try direction='past'"):
        RNN(vocabulary=50, direction="both", **SMALL).extend(torch.zeros(1, 2, dtype=torch.int64))
    net = RNN(3, **SMALL)
    _, state = net.extend(torch.zeros(2, 3, 3))
    with pytest.raises(ShapeError, match="the state is of 2 examples side by side, got 1 to read on"):
        net.extend(torch.zeros(1, 1, 3), state)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_trace_shows_that_a_span_keeps_the_first_of_100_steps(cell):
    """As `trace` measures it over time in every layer; below 1e-3 a step counts as forgotten."""
    from evenkeel import trace  # after the shape checks are installed

    def memories(net):
        chain = trace(net, lambda features, _: features.square().sum(), (torch.randn(8, 100, 3), None))
        return [link.steps.directions[0].memory for link in recurrent_links(chain)]

    kept = memories(RNN(3, cell=cell, span=100, norm=None, **SMALL))
    assert len(kept) == 2 and all(len(memory) == 100 and memory[99] > 1e-3 for memory in kept)
    forgotten = memories(RNN(3, cell="rnn", norm=None, **SMALL))
    assert all(memory[99] < 1e-3 for memory in forgotten)


def test_a_trace_measures_examples_of_unequal_length():
    from evenkeel import trace

    net = RNN(3, direction="both", **SMALL)
    chain = trace(net, lambda features, _: features.sin().sum(), ((torch.randn(4, 9, 3), LENGTHS), None))
    assert [len(link.steps.directions) for link in recurrent_links(chain)] == [2, 2]


def test_names_of_sizes_and_what_overrides_them():
    small, base = RNN(3), RNN(3, size="base")
    assert (small.features, len(small.blocks), base.features, len(base.blocks)) == (128, 2, 512, 4)
    assert RNN(3, width=48, direction="both").features == 48


def test_it_learns_to_read_digits_row_by_row():
    """1347 digits, 6 rounds: nine in ten of the other 450; chance is one in ten."""
    images, labels = load_digits(return_X_y=True)
    rows = torch.tensor(images, dtype=torch.float32).view(-1, 8, 8)
    rows, labels = (rows - rows.mean()) / rows.std(), torch.tensor(labels)
    order = torch.randperm(len(rows))
    train, rest = order[:1347], order[1347:]
    net, head = RNN(8, width=64), SingleLabel(64, classes=10)
    optimizer = torch.optim.Adam([*net.parameters(), *head.parameters()], lr=5e-3)
    for _ in range(6):
        for batch in train[torch.randperm(1347)].split(64):
            optimizer.zero_grad()
            head.loss(head(net(rows[batch])), labels[batch]).backward()
            optimizer.step()
    net.eval()
    with torch.no_grad():
        right = head.predict(head(net(rows[rest]))) == labels[rest]
    assert right.float().mean() > 0.9


@pytest.mark.parametrize("span, learns", [(60, True), (None, False)])
def test_with_a_span_it_learns_what_lies_far_back(span, learns):
    """The class is the sign of the first of 60 numbers, 59 others behind it; 80 steps of 64 examples."""
    net, head = RNN(1, width=32, depth=1, span=span), SingleLabel(32, classes=2)
    optimizer = torch.optim.Adam([*net.parameters(), *head.parameters()], lr=1e-2)
    losses = []
    for _ in range(80):
        values = torch.randn(64, 60, 1)
        loss = head.loss(head(net(values)), (values[:, 0, 0] > 0).long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert (sum(losses[-10:]) / 10 < 0.4) == learns


@pytest.mark.parametrize(
    "options, message",
    [
        ({}, "give channels=... for values at each step, .* got channels=None, vocabulary=None"),
        ({"channels": 3, "vocabulary": 5}, "got channels=3, vocabulary=5"),
        ({"channels": 0}, "at least one channel"),
        ({"vocabulary": 0}, "vocabulary=0"),
        ({"channels": 3, "size": "huge"}, "no size is called 'huge'; there are: small, base"),
        ({"channels": 3, "depth": 0}, "depth=0"),
        ({"channels": 3, "cell": "elman"}, "cell must be one of 'gru', 'lstm', 'rnn'; got 'elman'"),
        ({"channels": 3, "norm": "batch"}, "a step would learn of those after it"),
        ({"channels": 3, "norm": "instance"}, "a step would learn of those after it; try norm='layer' or 'rms'"),
        ({"channels": 3, "dropout": 1.0}, r"dropout must be in \[0, 1\), got 1"),
        ({"channels": 3, "pooling": "max"}, "pooling must be one of 'last', 'mean', 'attention', None; got 'max'"),
        ({"channels": 3, "span": 100, "cell": "rnn"}, "a span opens the gates"),
    ],
)
def test_what_makes_no_net_is_refused(options, message):
    with unchecked(), pytest.raises(RequestError, match=message):
        RNN(**options)


def test_inputs_that_cannot_be_are_refused():
    with unchecked(), pytest.raises(ShapeError, match=r"reads \(batch, step, channel\) with 3 channels"):
        RNN(3, **SMALL)(torch.zeros(2, 5, 4))
    with pytest.raises(DataError, match="from 1 to the 3 steps there are, got 0 to 3"):
        RNN(3, **SMALL)(torch.zeros(2, 3, 3), torch.tensor([0, 3]))
    with pytest.raises(DataError, match="tokens must be from 0 to 49, got 0 to 50"):
        RNN(vocabulary=50, **SMALL)(torch.tensor([[0, 50]]))


@every_cell
def test_it_computes_in_half_precision_where_asked_to(cell):
    net, values = RNN(3, cell=cell, **SMALL), torch.randn(4, 6, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half, packed = net(values), net(values, torch.tensor([6, 2, 3, 1]))
    torch.testing.assert_close(half.float(), net(values), atol=0.1, rtol=0.05)
    torch.testing.assert_close(packed.float(), net(values, torch.tensor([6, 2, 3, 1])), atol=0.1, rtol=0.05)


def test_it_is_a_module_of_plain_layers():
    state = RNN(3, cell="lstm", direction="both", pooling="attention", **SMALL).state_dict()
    assert {name.rsplit(".", 1)[1].removesuffix("_reverse") for name in state} == {
        "weight", "bias", "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "scale", "query",
    }  # fmt: skip
