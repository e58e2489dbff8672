import pytest
import torch
from torch import nn

from evenkeel.errors import RequestError
from evenkeel.heads import Tokens
from evenkeel.kinds.text.generate import Reader, Writer, continue_text, first_codes
from evenkeel.kinds.text.streams import Cuts, read_stream
from evenkeel.kinds.text.tokens import fit_tokenizer
from evenkeel.nets import RNN, Transformer
from evenkeel.network import Network

TEXT = "the cat sat on the mat\n" * 20
WINDOW = 8


def schema(unit="characters"):
    return read_stream(TEXT, unit, vocabulary=300, window=WINDOW, cuts=Cuts(0.0, 0.0)).schema


def network(net="transformer", size=None):
    call = {"transformer": Transformer, "rnn": RNN}[net]
    size = size or schema().tokens.size
    body = call(vocabulary=size, width=32, depth=1, direction="past", pooling=None)
    made = Network(body, Tokens(32, vocabulary=size))
    nn.init.normal_(made.head.weight)
    return made.eval()


class Plain(nn.Module):
    """A net that cannot read on."""

    def __init__(self, net):
        super().__init__()
        self.inner, self.features = net, net.features

    def forward(self, tokens):
        return self.inner(tokens)


def draw(made, prompt="the", **options):
    generator = torch.Generator().manual_seed(options.pop("seed", 0))
    return continue_text(made, schema(), prompt, **{"length": 30, "generator": generator, **options})


@pytest.mark.parametrize("net", ["transformer", "rnn"])
def test_features_are_those_of_reading_all_at_once_within_the_window(net):
    made = network(net)
    reader = Reader(made.net, WINDOW, torch.device("cpu"))
    codes = [1, 4, 2, 3, 5, 1, 2, 2]
    with torch.no_grad():
        found = reader.read(codes[:3])
        for code in codes[3:]:
            found = reader.read([code])
        torch.testing.assert_close(found, made.net(torch.tensor([codes]))[:, -1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("net", ["transformer", "rnn"])
def test_where_the_window_is_full_its_last_half_is_read_anew(net):
    made = network(net)
    reader = Reader(made.net, WINDOW, torch.device("cpu"))
    codes = [1, 4, 2, 3, 5, 1, 2, 2, 4]
    with torch.no_grad():
        reader.read(codes[:8])
        found = reader.read(codes[8:])
        torch.testing.assert_close(found, made.net(torch.tensor([codes[-4:]]))[:, -1], atol=1e-5, rtol=1e-4)
        assert reader.kept == 4 and reader.history == codes[-8:]


def test_a_prompt_longer_than_the_window_counts_by_its_end():
    made = network()
    long = TEXT * 3
    assert draw(made, long) == draw(made, long[-WINDOW:])


def test_a_net_that_cannot_read_on_reads_all_anew():
    made = network()
    slow = Network(Plain(made.net), made.head).eval()
    slow.net.extend = None
    assert draw(slow, length=4) == draw(made, length=4)
    assert len(draw(slow, length=20)) == 20


def test_the_same_seed_gives_the_same_text_and_another_does_not():
    made = network()
    assert draw(made, seed=1) == draw(made, seed=1) != draw(made, seed=2)
    assert draw(made, temperature=0, seed=1) == draw(made, top_k=1, seed=2) == draw(made, top_p=1e-6, seed=3)
    assert draw(made, length=0) == ""


def test_pieces_come_as_they_are_drawn_and_the_mode_is_put_back():
    made, pieces = network().train(), []
    text = draw(made, on_piece=pieces.append)
    assert "".join(pieces) == text and len(pieces) == 30 and made.training
    with pytest.raises(RequestError, match="temperature"):
        draw(made, temperature=-1)
    assert made.training


@pytest.mark.parametrize("prompt", [None, 5, ["the"]])
def test_a_prompt_is_a_text(prompt):
    with pytest.raises(RequestError, match=f"prompt must be a text, got {type(prompt).__name__}; an empty one is ''"):
        draw(network(), prompt)


@pytest.mark.parametrize("name", ["temperature", "top_p"])
def test_options_are_checked_before_anything_is_read(name):
    with pytest.raises(RequestError, match=f"{name} must be .*, got nan"):
        draw(network(), length=0, **{name: float("nan")})


def test_what_comes_first_where_nothing_is_said():
    tokens = fit_tokenizer(["ab\n"], "characters")
    assert first_codes(tokens, "ba") == [3, 2] and first_codes(tokens, "") == [1]
    assert first_codes(fit_tokenizer(["ab"], "words"), "") == [0]


def test_a_character_is_written_when_all_its_bytes_are_there():
    tokens, pieces = fit_tokenizer([], "bytes"), []
    writer = Writer(tokens, pieces.append)
    for code in tokens.encode(["é東🙂x"])[0].tolist():
        writer.add(code)
    assert pieces == ["é", "東", "🙂", "x"] and writer.end() == "é東🙂x"


def test_broken_characters_do_not_hold_the_text_back():
    tokens, pieces = fit_tokenizer([], "bytes"), []
    writer = Writer(tokens, pieces.append)
    for value in (0xE6, ord("a"), 0xF0, 0xF0, 0xF0, 0xF0, 0xC3):
        writer.add(value + 1)
    assert pieces[0] == "\ufffda" and len(pieces) == 2
    assert writer.end() == "\ufffda" + "\ufffd" * 5


def test_a_network_that_does_not_write_is_refused():
    made = network()
    made.head = nn.Identity()
    with pytest.raises(RequestError, match="was not trained to continue a text"):
        draw(made)
    with pytest.raises(RequestError, match="was not trained to continue a text"):
        continue_text(network(), schema().model_copy(update={"window": None}), "a")
