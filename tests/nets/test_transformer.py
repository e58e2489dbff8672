import pytest
import torch

from _unchecked import unchecked
from evenkeel.errors import DataError, RequestError, ShapeError
from evenkeel.heads import Tokens
from evenkeel.nets import Transformer
from evenkeel.nets.step_norm import STEP_NORMS
from nets._samples import links_of, spread

SMALL = {"width": 32, "depth": 2}
every_norm = pytest.mark.parametrize("norm", STEP_NORMS)
every_position = pytest.mark.parametrize("positions", ["rotary", "learned"])


def decoder(**options):
    return Transformer(vocabulary=50, direction="past", pooling=None, **{**SMALL, **options}).eval()


@every_norm
@every_position
@pytest.mark.parametrize("direction", ["both", "past"])
def test_the_gradient_is_even_and_the_eyes_are_open(norm, positions, direction):
    options = {"norm": norm, "positions": positions, "direction": direction, "pooling": "last"}
    net = Transformer(3, width=64, depth=8, **options)
    least, greatest, similarity = spread(links_of(net, torch.randn(32, 8, 3)))
    assert least > 0.1 and greatest < 10 and similarity < 0.9


@every_norm
@every_position
def test_the_future_does_not_change_the_past(norm, positions):
    """Not by a bit, while training too; an encoder, of course, looks ahead."""
    tokens = torch.randint(50, (4, 20))
    other = tokens.clone()
    other[:, 12:] = (other[:, 12:] + 1) % 50
    for net in decoder(norm=norm, positions=positions), decoder(norm=norm, positions=positions).train():
        first, second = net(tokens), net(other)
        torch.testing.assert_close(first[:, :12], second[:, :12], atol=1e-6, rtol=0)
        assert (first[:, 12] - second[:, 12]).abs().max() > 1e-3
        torch.testing.assert_close(net(tokens[:, :12]), first[:, :12], atol=1e-5, rtol=1e-4)
    both = Transformer(vocabulary=50, pooling=None, norm=norm, positions=positions, **SMALL)
    assert (both(tokens)[:, :12] - both(other)[:, :12]).abs().max() > 1e-3


def test_no_gradient_flows_from_the_past_to_the_future():
    values = torch.randn(2, 10, 3, requires_grad=True)
    Transformer(3, direction="past", pooling=None, **SMALL)(values)[:, 4].sin().sum().backward()
    assert values.grad[:, 5:].abs().max() == 0 and values.grad[:, :5].abs().amax((0, 2)).min() > 0


@pytest.mark.parametrize("kind", ["tokens", "values"])
@every_norm
@every_position
def test_reading_on_is_the_same_as_reading_all_at_once(norm, positions, kind):
    options = {"direction": "past", "pooling": None, "norm": norm, "positions": positions, **SMALL}
    net = (Transformer(vocabulary=50, **options) if kind == "tokens" else Transformer(3, **options)).eval()
    values = torch.randint(50, (3, 20)) if kind == "tokens" else torch.randn(3, 20, 3)
    whole, cache, found = net(values), None, []
    for piece in values.split([7, 1, 1, 5, 6], dim=1):
        features, cache = net.extend(piece, cache)
        found.append(features)
    torch.testing.assert_close(torch.cat(found, dim=1), whole, atol=1e-5, rtol=1e-4)
    assert cache.steps == 20 and cache.batch == 3


def test_two_texts_go_on_from_one_cache():
    net, tokens = decoder(), torch.randint(50, (2, 9))
    _, cache = net.extend(tokens[:, :8])
    first, _ = net.extend(tokens[:, 8:], cache)
    net.extend((tokens[:, 8:] + 1) % 50, cache)
    again, _ = net.extend(tokens[:, 8:], cache)
    assert torch.equal(first, again) and cache.steps == 8


def test_only_a_net_that_looks_back_alone_can_read_on():
    with pytest.raises(
        RequestError, match="only a net over steps that sees the past alone can read on; try direction="
    ):
        Transformer(vocabulary=50, **SMALL).extend(torch.zeros(1, 2, dtype=torch.int64))
    with pytest.raises(RequestError, match="only a net over steps"):
        Transformer(1, patch=2, direction="past", **SMALL).extend(torch.zeros(1, 1, 4, 4))
    net = decoder()
    _, cache = net.extend(torch.zeros(2, 3, dtype=torch.int64))
    with pytest.raises(ShapeError, match="the cache is of 2 examples side by side, got 1"):
        net.extend(torch.zeros(1, 1, dtype=torch.int64), cache)


def test_learned_positions_end_and_rotary_ones_do_not():
    net = decoder(positions="learned", longest=8)
    tokens = torch.zeros(1, 9, dtype=torch.int64)
    with pytest.raises(ShapeError, match="up to longest=8 along an axis, got 9"):
        net(tokens)
    _, cache = net.extend(tokens[:, :8])
    with pytest.raises(ShapeError, match="up to longest=8 along an axis, got 9"):
        net.extend(tokens[:, 8:], cache)
    assert decoder(longest=8)(tokens).shape == (1, 9, 32)


@every_position
def test_the_order_of_steps_matters(positions):
    net, tokens = Transformer(vocabulary=50, positions=positions, **SMALL).eval(), torch.randint(50, (2, 10))
    assert (net(tokens) - net(tokens.flip(1))).abs().max() > 1e-3


@every_position
@pytest.mark.parametrize("size", [(8, 8), (9, 14), (3, 3)])
def test_an_image_is_read_in_patches_whose_places_matter(positions, size):
    net, image = Transformer(2, patch=4, positions=positions, **SMALL).eval(), torch.randn(3, 2, *size)
    assert net(image).shape == (3, 32)
    rows, columns = (-(-pixels // 4) for pixels in size)
    every = Transformer(2, patch=4, positions=positions, pooling=None, **SMALL)
    assert every(image).shape == (3, rows * columns, 32)
    if size == (8, 8):
        turned = torch.cat((image[..., 4:], image[..., :4]), dim=3)
        assert (net(turned) - net(image)).abs().max() > 1e-4


@pytest.mark.parametrize("direction", ["both", "past"])
@pytest.mark.parametrize("pooling", ["mean", "last", None])
def test_padding_changes_nothing_however_the_steps_are_pooled(pooling, direction):
    net = Transformer(3, pooling=pooling, direction=direction, **SMALL).eval()
    torch.nn.init.normal_(net.norm.bias)  # as after training: zeros are not zeros by the luck of the start
    values, lengths = torch.randn(4, 9, 3), torch.tensor([9, 1, 4, 7])
    found = net(values.masked_fill((torch.arange(9) >= lengths[:, None])[:, :, None], torch.nan), lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = net(values[row : row + 1, :length])[0]
        torch.testing.assert_close(found[row] if pooling else found[row, :length], alone, atol=1e-5, rtol=1e-4)
        if not pooling:
            assert not found[row, length:].any()


def test_each_pooling_takes_its_steps():
    tokens, nets = torch.randint(50, (2, 6)), {}
    for pooling in ("last", "first", None):
        torch.manual_seed(0)
        nets[pooling] = Transformer(vocabulary=50, pooling=pooling, **SMALL)
    steps = nets[None](tokens)
    torch.testing.assert_close(nets["last"](tokens), steps[:, -1])
    torch.testing.assert_close(nets["first"](tokens), steps[:, 0])


def test_names_of_sizes_and_heads():
    small, base = Transformer(3), Transformer(3, size="base")
    assert (small.features, len(small.blocks), base.features, len(base.blocks)) == (128, 4, 512, 8)
    assert small.blocks[0].attention.heads == 4 and base.blocks[0].attention.heads == 16
    assert Transformer(3, width=48, attention_heads=6).head_width == 8
    assert Transformer(3, width=8).blocks[0].attention.heads == 1


def test_it_learns_what_came_three_steps_before():
    """A token is the one three steps back in half of all cases; only attention can know which it was."""
    net = Transformer(vocabulary=8, width=32, depth=2, direction="past", pooling=None)
    head = Tokens(32, vocabulary=8)
    optimizer = torch.optim.Adam([*net.parameters(), *head.parameters()], lr=5e-3)
    for _ in range(150):
        tokens = torch.randint(8, (32, 3)).repeat(1, 6)
        optimizer.zero_grad()
        loss = head.loss(head(net(tokens[:, :-1])), tokens[:, 1:].masked_fill(torch.arange(17) < 2, -100))
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1, "chance is ln 8 = 2.08"


def test_it_learns_english(real_data):
    """60 steps on 32 x 48 letters of Shakespeare: from 3.3, the entropy of single letters, well below it."""
    text = (real_data / "tinyshakespeare" / "input.txt").read_text()
    letters = sorted(set(text))
    code = torch.tensor([letters.index(letter) for letter in text[:200_000]])
    net = Transformer(vocabulary=len(letters), width=64, depth=2, direction="past", pooling=None)
    head = Tokens(64, vocabulary=len(letters))
    head.start(code)
    optimizer = torch.optim.Adam([*net.parameters(), *head.parameters()], lr=4e-3)
    losses = []
    for _ in range(60):
        rows = code[torch.randint(len(code) - 49, (32, 1)) + torch.arange(49)]
        optimizer.zero_grad()
        loss = head.loss(head(net(rows[:, :-1])), rows[:, 1:])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(3.3, abs=0.15)
    assert sum(losses[-5:]) / 5 < 2.6


@pytest.mark.parametrize(
    "options, message",
    [
        ({}, "give channels=... for values at each step, .* got channels=None, vocabulary=None, patch=None"),
        ({"channels": 3, "vocabulary": 5}, "got channels=3, vocabulary=5"),
        ({"vocabulary": 5, "patch": 2}, "channels=... and patch=... for images"),
        ({"channels": 0}, "at least one channel"),
        ({"channels": 3, "size": "huge"}, "no size is called 'huge'; there are: small, base"),
        ({"channels": 3, "depth": 0}, "depth=0"),
        ({"channels": 3, "attention_heads": 3}, "width=128 does not divide by attention_heads=3"),
        (
            {"channels": 3, "width": 70, "attention_heads": 4},
            "a width that is a multiple of 32, or another number of heads",
        ),
        ({"channels": 3, "width": 15}, "rotary positions turn pairs .* must be a multiple of 2, got 15"),
        ({"channels": 3, "width": 18, "patch": 2}, "along each axis, .* must be a multiple of 4, got 18"),
        ({"channels": 3, "direction": "future"}, "direction must be one of 'both', 'past'; got 'future'"),
        ({"channels": 3, "positions": "sine"}, "positions must be one of 'rotary', 'learned'; got 'sine'"),
        ({"channels": 3, "positions": "learned", "longest": 0}, "longest=0"),
        ({"channels": 3, "patch": 0}, "got patch=0"),
        ({"channels": 3, "norm": "batch"}, "a step would learn of those after it"),
        ({"channels": 3, "norm": "instance"}, "a step would learn of those after it"),
        ({"channels": 3, "activation": "swish"}, "no activation is called 'swish'"),
        ({"channels": 3, "dropout": -0.1}, r"dropout must be in \[0, 1\), got -0.1"),
        ({"channels": 3, "pooling": "max"}, "pooling must be one of 'mean', 'last', 'first', None; got 'max'"),
        ({"channels": 3, "pooling": "first", "direction": "past"}, "the first step .* has seen nothing else; try"),
    ],
)
def test_what_makes_no_net_is_refused(options, message):
    with unchecked(), pytest.raises(RequestError, match=message):
        Transformer(**options)


def test_inputs_that_cannot_be_are_refused():
    net = Transformer(vocabulary=50, **SMALL)
    with unchecked(), pytest.raises(ShapeError, match="tokens must be whole numbers"):
        net(torch.zeros(2, 3))
    with pytest.raises(DataError, match="tokens must be from 0 to 49, got 0 to 50"):
        net(torch.tensor([[0, 50]]))
    with pytest.raises(DataError, match="from 1 to the 3 steps there are, got 0 to 3"):
        net(torch.zeros(2, 3, dtype=torch.int64), torch.tensor([0, 3]))
    with pytest.raises(RequestError, match="images of a batch have one size, so there are no lengths"):
        Transformer(3, patch=2, **SMALL)(torch.zeros(2, 3, 4, 4), torch.tensor([1, 2]))


def test_what_is_padding_need_not_be_a_token():
    found = Transformer(vocabulary=50, **SMALL)(torch.tensor([[3, -100], [1, 2]]), torch.tensor([1, 2]))
    assert found.isfinite().all()


@pytest.mark.parametrize("positions", ["rotary", "learned"])
def test_it_computes_in_half_precision_where_asked_to(positions):
    net, tokens = Transformer(vocabulary=50, positions=positions, **SMALL), torch.randint(50, (2, 6))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = net(tokens)
    torch.testing.assert_close(half.float(), net(tokens), atol=0.1, rtol=0.05)
