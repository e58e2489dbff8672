import pytest
from click.testing import CliRunner

from evenkeel.cli import cli
from evenkeel.run.run import load

TINY = ["--set", "width=16", "--set", "depth=1", "--set", "updates=6", "--quiet"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text")
    (folder / "sea.txt").write_text("the sea is wide and the boat is small, and the wind blows. " * 60)
    done = CliRunner().invoke(cli, ["train", str(folder / "sea.txt"), "--out", str(folder / "run"), *TINY])
    assert done.exit_code == 0, done.output
    assert "generation" in done.output
    return folder / "run"


def test_a_text_is_continued_after_its_prompt(trained):
    options = [str(trained), "--prompt", "the sea", "--length", "30", "--seed", "3"]
    first = CliRunner().invoke(cli, ["generate", *options])
    assert first.exit_code == 0 and first.output.startswith("the sea")
    assert first.output == "the sea" + load(trained).generate("the sea", 30, seed=3) + "\n"
    assert CliRunner().invoke(cli, ["generate", *options]).output == first.output, "the same seed, the same text"


def test_a_prompt_may_come_from_elsewhere(trained):
    given = CliRunner().invoke(cli, ["generate", str(trained), "--prompt", "-", "--length", "5"], input="wind")
    assert given.output.startswith("wind") and given.exit_code == 0


def test_a_run_that_writes_nothing_says_so(saved_run):
    done = CliRunner().invoke(cli, ["generate", str(saved_run)])
    assert "writes no text; train on a text for that" in str(done.exception)
