import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from click.testing import CliRunner
from torch import nn

import evenkeel as ek
from _texts import LINES, films, pairs
from evenkeel.cli import cli
from evenkeel.data.dataset import SplitRequest
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds import PARTS
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.choose import kind_of

QUICK = {"updates": 20, "width": 8, "members": 2, "vocabulary": 300}


def fit(data, **options):
    """A fit without a test part, which plain models would be measured on too."""
    return ek.fit(data, **{"test": 0, "progress": False, "settings": QUICK, **options})


@pytest.fixture(scope="module")
def run():
    """A small network on reviews."""
    settings = {**QUICK, "updates": 200, "width": 16, "dropout": 0.2}
    return fit(films(200), test=0.2, settings=settings)


# Classes


def test_learns_what_reviews_say_also_by_two_words_together(run):
    assert run.plan.task == "single-label" and run.plan.net == "mlp" and run.kind.name == "text"
    assert run.metrics["accuracy"] > 0.9  # by single words: half
    assert set(run.record.baselines) == {"naive Bayes", "linear"}
    assert run.evaluate(films(200))["accuracy"] > 0.9
    assert "number" in run.report_text()


def test_a_saved_run_predicts_the_same(run, tmp_path):
    loaded = ek.load(run.save(tmp_path / "run"))
    new = ["a fine film", "not a dull film", "", "zzz"]
    np.testing.assert_array_equal(loaded.predict_proba(new), run.predict_proba(new))
    assert set(loaded.predict(new)) <= {"good", "bad"} and loaded.embed(new).shape == (4, 2 * 16)
    assert loaded.classes == ("bad", "good")


def test_predictions_do_not_depend_on_what_else_is_asked(run):
    texts = films(9)[0]
    whole = run.predict_proba(texts)
    for row in (0, 8):
        np.testing.assert_allclose(run.predict_proba(texts[row : row + 1])[0], whole[row], atol=1e-6)


@pytest.mark.parametrize("form", [list, np.array, pl.Series, pd.Series, lambda texts: pl.DataFrame({"text": texts})])
def test_new_texts_may_come_in_another_form(run, form):
    texts = films(9)[0]
    np.testing.assert_array_equal(run.predict(form(texts)), run.predict(texts))


def test_new_texts_may_come_from_a_file_of_lines(run, tmp_path):
    path = tmp_path / "new.txt"
    path.write_text("\n".join([*films(9)[0], "short, one"]))
    assert run.predict(path).shape == (10,)


@pytest.mark.parametrize("net", ["transformer", "rnn"])
@pytest.mark.parametrize("tokens", ["words", "characters", "bytes", "bpe"])
def test_nets_over_tokens_in_their_order(net, tokens, tmp_path):
    settings = {"updates": 3, "width": 32, "depth": 1, "tokens": tokens, "longest": 40}
    made = fit(films(), net=net, settings=settings)
    assert made.plan.net == net and made.record.schema_.bag is None
    loaded = ek.load(made.save(tmp_path / "run"))
    new = ["a fine film", ""]
    np.testing.assert_array_equal(loaded.predict_proba(new), made.predict_proba(new))
    assert loaded.evaluate(films())["accuracy"] >= 0


def test_a_folder_of_files_for_each_class(tmp_path):
    texts, answers = films()
    for row, (text, answer) in enumerate(zip(texts, answers, strict=True)):
        (tmp_path / answer).mkdir(exist_ok=True)
        (tmp_path / answer / f"{row}.txt").write_text(text)
    made = fit(tmp_path)
    assert made.kind.name == "text" and made.classes == ("bad", "good") and made.record.source == str(tmp_path)
    assert made.evaluate(tmp_path)["accuracy"] >= 0.4 and len(made.predict(tmp_path / "good")) == answers.count("good")


def test_a_table_where_it_is_said(tmp_path):
    texts, answers = films()
    table = pl.DataFrame({"review": texts, "mood": answers, "id": range(80), "often": [1.0] * 80})
    made = fit(table, target="mood", kind="text", split="group:id", sample_weight="often")
    assert made.record.schema_.text == ("review",) and made.record.split.startswith("by group (id)")
    table.write_csv(tmp_path / "films.csv")
    assert made.evaluate(tmp_path / "films.csv")["accuracy"] > 0 and made.predict(table.drop("mood")).shape == (80,)
    assert kind_of(table, target="mood").name == "table"


def test_labels_and_numbers():
    texts, answers = films()
    liked = np.array(answers) == "good"
    labels = fit((texts, np.stack([liked, ~liked], 1).astype(int)))
    assert labels.plan.task == "multi-label" and labels.predict(texts).shape == (80, 2)
    numbers = fit((texts, liked + 0.25 * np.random.default_rng(0).normal(size=80)))
    assert numbers.plan.task == "probabilistic-regression" and numbers.predict_distribution(texts).std.shape == (80,)


def test_texts_without_an_answer_are_left_out_and_counted():
    texts, answers = films()
    some = [None, *answers[1:]]
    made = fit((texts, some))
    assert "1 of 80 rows have no target" in made.record.notes[0] and sum(made.record.rows.values()) == 79
    assert made.evaluate((texts, some))["accuracy"] >= 0
    with pytest.raises(DataError, match="no text has a value of the target 'target'"):
        made.evaluate((texts[:3], [None] * 3))


def test_the_sample_keeps_the_texts_of_the_test_part(run):
    kept = run.sample["shown.texts"]
    assert len(kept) == len(run.sample["target"]) == 40
    assert bytes(kept[0][kept[0] > 0].tolist()).startswith(b"I saw film number")


# Pairs


@pytest.mark.parametrize("net", [None, "transformer", "rnn"])
def test_pairs_are_the_same_either_way_round(net, tmp_path):
    table = pairs()
    settings = {**QUICK, "updates": 5, "width": 32, "text": "one,two"}
    made = fit(table, target="score", kind="text", task="regression", net=net, settings=settings)
    turned = table.rename({"one": "two", "two": "one"})
    np.testing.assert_allclose(made.predict(turned), made.predict(table), atol=1e-4)
    loaded = ek.load(made.save(tmp_path / "run"))
    np.testing.assert_array_equal(loaded.predict(table), made.predict(table))
    assert loaded.predict(list(table[["one", "two"]].iter_rows())).shape == (90,)


def test_how_much_two_texts_share_is_learned_at_once():
    table = pairs(200)
    settings = {"updates": 80, "members": 2, "width": 16, "dropout": 0.2, "text": "one,two"}
    options = {"kind": "text", "task": "regression", "progress": False}
    made = ek.fit(table, target="score", settings=settings, **options)
    assert made.metrics["r2"] > 0.3 and set(made.record.baselines) == {"linear"}
    with pytest.raises(DataError, match=r"expected pairs of texts, as in training; got 1 column\(s\) of text"):
        made.predict(["one text"])


# Which kind?


def test_recognised_without_being_named(tmp_path):
    prose, rows = tmp_path / "story.txt", tmp_path / "houses.txt"
    prose.write_text(LINES)
    rows.write_text("price,rooms\n100,2\n200,3\n")
    assert kind_of(prose).name == kind_of(str(prose)).name == "text"
    assert kind_of(prose, target="price").name == kind_of(rows, target="price").name == kind_of(rows).name == "table"
    assert kind_of(rows, task="generation").name == "text"
    assert kind_of(films(), target="y").name == kind_of(films()).name == "text"
    assert kind_of((np.zeros((4, 2)), [1, 2, 3, 4])).name == "table"
    table = pl.DataFrame({"review": films()[0], "stars": range(80)})
    assert kind_of(table, task="generation").name == "text" and kind_of(table).name == "table"
    assert kind_of(table, target="stars", settings=["ngrams"]).name == "text"
    assert not PARTS["text"].without_target(np.zeros((3, 4, 4)), "generation")
    assert not PARTS["text"].without_target(tmp_path / "none.csv", "generation")


# What the user brings or gets wrong


class Mean(nn.Module):
    """The mean of the tokens' vectors; no lengths."""

    def __init__(self):
        super().__init__()
        self.vectors = nn.Embedding(1000, 5)

    def forward(self, words):
        return self.vectors(words).mean(1)


def test_a_net_of_the_users_own(tmp_path):
    made = fit(films(), net=Mean(), settings={"updates": 3})
    loaded = ek.load(made.save(tmp_path / "run"), net=Mean())
    np.testing.assert_array_equal(loaded.predict_proba(["a fine film"]), made.predict_proba(["a fine film"]))
    both = fit(pairs(), target="score", kind="text", net=Mean(), settings={"updates": 3, "text": "one,two"})
    assert both.predict(pairs()).shape == (90,)


TEXTS = pl.DataFrame({"review": films()[0], "mood": films()[1]})


@pytest.mark.parametrize(
    ("data", "options", "error", "message"),
    [
        (films(), {"net": "cnn"}, RequestError, "net 'cnn' reads .*, and this is text; try"),
        (films(), {"net": nn.Flatten(0)}, RequestError, r"a net must give features of shape \(batch, unit\), got"),
        (films(), {"settings": {"ngrams": 9}}, RequestError, "setting ngrams = 9: input should be less than or equal"),
        (films(), {"settings": {"tokens": "syllables"}}, RequestError, "setting tokens = 'syllables'"),
        (TEXTS, {"kind": "text"}, RequestError, "which column is to be predicted.*task='generation' to continue"),
        (TEXTS, {"kind": "text", "target": "moood"}, DataError, "no column 'moood' to predict; did you mean 'mood'"),
        (TEXTS, {"target": "review", "settings": {"text": "review"}, "kind": "text"}, RequestError, "is the target"),
        (TEXTS, {"target": "mood", "task": "generation", "kind": "text"}, RequestError, "has no target"),
        (LINES, {"kind": "text", "split": "group:x"}, RequestError, "is split by position and has no weights"),
        (LINES, {"kind": "text", "validation": 0.6, "test": 0.5}, RequestError, r"validation \+ test must be in"),
        (LINES, {"kind": "text", "settings": {}, "net": "mlp"}, RequestError, "net .mlp. reads table data"),
        ("too\nshort", {}, DataError, "the text is too short"),
        (pairs()[["one", "two"]], {"kind": "text", "task": "generation", "settings": {"text": "one,two"}},
         RequestError, "only one text can be continued, not pairs"),
        ((["a", "b"], [1, 2, 3]), {}, DataError, "X has 2 rows and y has 3"),
    ],
)  # fmt: skip
def test_says_what_is_wrong(data, options, error, message):
    with pytest.raises(error, match=message):
        fit(data, **options)


# Goes on where it was broken off


@pytest.mark.parametrize("data", [films(), LINES], ids=["bags", "stream"])
def test_an_interrupted_run_goes_on_bit_by_bit(data, tmp_path):
    from evenkeel.network import build_network
    from evenkeel.plan import make_plan
    from evenkeel.train.checkpoint import restore_loop, save_loop
    from evenkeel.train.loop import Loop, Watchers

    kind = PARTS["text"]
    prepared = kind.prepare(data, DataRequest(split=SplitRequest(), options=kind.options(window=16)))
    found = prepared.dataset
    net = kind.usual(found)
    small = {"updates": 8, "patience": 1000, "width": 32, "depth": 1, "net": net, "batch_size": 8}
    recipe = {**kind.recipe(net, found, prepared.choice), **small}
    recipe.pop("epochs", None)
    plan = make_plan(prepared.choice.task, rows=len(found.split.train), recipe=recipe)

    def loop():
        return Loop(build_network(plan, found)[0], found, plan, device=torch.device("cpu"))

    whole = loop()
    whole.run(Watchers())
    first = loop()
    first.run(Watchers(stop=lambda: "SIGINT" if first.state.update == 3 else ""))
    save_loop(first, tmp_path / "checkpoint")
    second = loop()
    restore_loop(second, tmp_path / "checkpoint")
    second.run(Watchers())
    assert second.state.update == 8 and first.state.update == 3
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name]), name


# The command line


def test_the_command_line_reads_a_folder_of_classes(tmp_path):
    for row, (text, answer) in enumerate(zip(*films(40), strict=True)):
        (tmp_path / "films" / answer).mkdir(parents=True, exist_ok=True)
        (tmp_path / "films" / answer / f"{row}.txt").write_text(text)
    out = tmp_path / "run"
    call = ["train", str(tmp_path / "films"), "--out", str(out), "--quiet", "--set", "updates=5", "--set", "width=8"]
    result = CliRunner().invoke(cli, call)
    assert result.exit_code == 0 and "single-label" in result.output, result.output
    new = tmp_path / "new.txt"
    new.write_text("a fine film\nnot dull\n")
    predicted = CliRunner().invoke(cli, ["predict", str(out), str(new)])
    assert predicted.exit_code == 0, predicted.output
    assert len(predicted.output.strip().splitlines()) == 3
