"""One text that is continued, from a file to what is written."""

import pytest
from click.testing import CliRunner
from torch import nn

import evenkeel as ek
from _texts import LINES
from evenkeel.cli import cli
from evenkeel.errors import DataError, RequestError

STREAM = {"updates": 20, "width": 32, "depth": 1, "window": 16}


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """A small network on a plain file, and the file."""
    path = tmp_path_factory.mktemp("story") / "story.txt"
    path.write_text(LINES)
    return ek.fit(path, progress=False, settings={**STREAM, "updates": 120}), path


def test_a_plain_file_is_continued(story, tmp_path):
    made, path = story
    assert made.plan.task == "generation" and made.plan.net == "transformer" and made.record.source == str(path)
    assert {"perplexity", "bits_per_character"} <= made.metrics.keys()
    assert made.metrics["perplexity"] < made.record.baselines["token counts"]["perplexity"]
    text = made.generate("the cat", length=30, seed=3)
    assert len(text) == 30 and text == made.generate("the cat", length=30, seed=3)
    assert text != made.generate("the cat", length=30, seed=4)
    pieces = []
    assert made.generate("the cat", length=30, seed=3, stream=pieces.append) == "".join(pieces) == text
    loaded = ek.load(made.save(tmp_path / "run"))
    assert loaded.generate("the cat", length=30, seed=3) == text
    assert loaded.evaluate(LINES)["perplexity"] == loaded.evaluate(path)["perplexity"] < 20
    assert "perplexity" in loaded.report_text()


def test_rows_are_not_predicted_by_what_continues_a_text(story):
    made, path = story
    for call in (made.predict, made.embed):
        with pytest.raises(RequestError, match=r"predicts no rows; try run.generate\(prompt\)"):
            call(path)
    with pytest.raises(DataError, match="expected a text of more than 16 tokens"):
        made.evaluate("too\nshort")


@pytest.mark.parametrize(("tokens", "net"), [("words", "rnn"), ("bytes", "rnn"), ("bpe", "transformer")])
def test_other_tokens_and_nets_write_too(tokens, net):
    settings = {**STREAM, "updates": 3, "tokens": tokens, "vocabulary": 300}
    made = ek.fit([LINES, LINES], task="generation", net=net, progress=False, test=0, settings=settings)
    assert made.record.source == "2 texts" and made.plan.net == net
    assert len(made.generate("", length=10)) > 0


def test_large_vocabularies_share_their_vectors_with_the_head(monkeypatch, tmp_path):
    monkeypatch.setattr("evenkeel.kinds.text.body.TIED_FROM", 5)
    made = ek.fit(LINES, kind="text", progress=False, test=0, settings={**STREAM, "updates": 3})
    assert made.network.head.weight is made.network.net.net.input.weight
    loaded = ek.load(made.save(tmp_path / "run"))
    assert loaded.network.head.weight is loaded.network.net.net.input.weight
    assert loaded.generate("the", length=9) == made.generate("the", length=9)


class Mean(nn.Module):
    """The mean of the tokens' vectors; no lengths."""

    def __init__(self):
        super().__init__()
        self.vectors = nn.Embedding(1000, 5)

    def forward(self, words):
        return self.vectors(words).mean(1)


class Steps(nn.Module):
    """Vectors of each token, by itself or together with the later ones."""

    def __init__(self, sees="itself"):
        super().__init__()
        self.vectors, self.sees = nn.Embedding(1000, 5), sees

    def forward(self, words):
        found = self.vectors(words)
        return found if self.sees == "itself" else found + found.mean(1, keepdim=True)


def test_a_net_of_the_users_own_writes():
    made = ek.fit(LINES, kind="text", net=Steps(), progress=False, test=0, settings={"updates": 3, "window": 16})
    assert len(made.generate("the", length=20)) == 20
    with pytest.raises(RequestError, match="change with the tokens that come after it"):
        ek.fit(LINES, kind="text", net=Steps("all"), progress=False, test=0, settings={"updates": 3})
    with pytest.raises(RequestError, match=r"features of every step, \(batch, step, unit\), got \(1, 5\) for 8 steps"):
        ek.fit(LINES, kind="text", net=Mean(), progress=False, test=0, settings={"updates": 3})


def test_the_command_line_trains_on_a_text_and_writes(tmp_path):
    path, out = tmp_path / "story.txt", tmp_path / "run"
    path.write_text(LINES)
    settings = [part for key, value in STREAM.items() for part in ("--set", f"{key}={value}")]
    result = CliRunner().invoke(cli, ["train", str(path), "--out", str(out), "--quiet", *settings])
    assert result.exit_code == 0, result.output
    assert "generation" in result.output
    written = CliRunner().invoke(cli, ["generate", str(out), "--prompt", "the cat", "--length", "12", "--seed", "1"])
    assert written.exit_code == 0 and written.output.startswith("the cat")
    assert written.output == "the cat" + ek.load(out).generate("the cat", length=12, seed=1) + "\n"
    assert CliRunner().invoke(cli, ["evaluate", str(out), str(path)]).exit_code == 0
    refused = CliRunner().invoke(cli, ["generate", str(tmp_path), "--prompt", "x"])
    assert refused.exit_code != 0
