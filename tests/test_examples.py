"""The examples in a short form: each learns something from real data that chance or a plain baseline does not know."""

import itertools

import polars as pl
import pytest
import torch
from click.testing import CliRunner
from examples import (
    digits_from_files,
    emoji_pairs,
    emoji_search,
    film_reviews,
    one_shot,
    power_forecast,
    rare_class,
    shakespeare,
    spoken_vowels,
    table_vae,
    two_peaks,
)

import evenkeel as ek

ON_DATA = {
    "emoji_search": emoji_search,
    "one_shot": one_shot,
    "rare_class": rare_class,
    "table_vae": table_vae,
    "film_reviews": film_reviews,
    "shakespeare": shakespeare,
}


@pytest.mark.parametrize("name", ON_DATA)
def test_says_what_it_needs_where_there_is_no_folder(name):
    result = CliRunner(env={"EVENKEEL_DATA": None}).invoke(ON_DATA[name].main, [])
    assert result.exit_code == 2
    assert "DATA_FOLDER|$EVENKEEL_DATA" in result.output


@pytest.mark.parametrize("name", ON_DATA)
def test_says_what_it_needs_where_the_folder_holds_something_else(name, tmp_path):
    result = CliRunner().invoke(ON_DATA[name].main, [str(tmp_path)])
    assert result.exit_code == 1
    assert f"needs {tmp_path}" in result.output
    assert "or set EVENKEEL_DATA" in result.output


# One-shot recognition of characters


@pytest.fixture(scope="module")
def alphabets(real_data):
    return one_shot.read_alphabets(real_data / "omniglot")


def test_alphabets_are_whole_and_those_in_both_archives_come_once(alphabets):
    assert sum(len(drawn) for drawn in alphabets.values()) == 242
    assert all(drawn.shape[1:] == (20, one_shot.SIZE, one_shot.SIZE) for drawn in alphabets.values())
    assert all(drawn.min() >= 0.0 and 0.5 < drawn.max() <= 1.0 for drawn in alphabets.values())


def test_runs_ask_for_each_of_their_twenty_characters_once(real_data):
    runs = one_shot.read_runs(real_data / "omniglot")
    assert len(runs) == 20
    assert all(sorted(run.answer.tolist()) == list(range(20)) for run in runs)
    assert 0.7 < one_shot.error_on_runs(None, runs) < 0.85  # 81 % at full resolution


def test_a_batch_pairs_two_drawings_of_each_character(alphabets):
    images, characters = one_shot.draw_batch(list(alphabets.values()), torch.Generator().manual_seed(0))
    assert len(images) == len(characters) <= 2 * one_shot.GROUPS * one_shot.CHARACTERS
    assert characters.bincount().tolist() == [2] * (len(images) // 2)
    left, right = images.flatten(1)[0::2], images.flatten(1)[1::2]
    apart = (left - right).norm(dim=1).mean()
    assert 0 < apart < (left - right.roll(1, 0)).norm(dim=1).mean()


@pytest.mark.parametrize("loss", one_shot.OPTIONS)
def test_each_loss_beats_the_pixels_on_alphabets_that_did_not_train(loss, alphabets, monkeypatch):
    monkeypatch.setattr(one_shot, "CHARACTERS", 10)
    kept = [alphabets[name] for name in one_shot.KEPT]
    others = [drawn for name, drawn in alphabets.items() if name not in one_shot.KEPT]
    network = one_shot.train(others, loss, updates=80, seed=0, width=8)
    pixels = one_shot.error_on_alphabets(None, kept)
    assert 0.6 < pixels < 0.75  # guessing among 10: 0.9
    assert one_shot.error_on_alphabets(network, kept) < pixels - 0.08


def test_contrastive_pairs_are_partners_and_strangers(alphabets, monkeypatch):
    network = one_shot.build("contrastive", seed=0, width=8)
    images, characters = one_shot.draw_batch(list(alphabets.values()), torch.Generator().manual_seed(0))
    given = []
    monkeypatch.setattr(network.head, "loss", lambda views, same: given.append((views, same)) or views.sum())
    one_shot.batch_loss(network, images, characters)
    ((views, same),) = given
    assert same.tolist() == [1] * (len(images) // 2) + [0] * len(images)
    points = network(images)
    torch.testing.assert_close(views[: len(images) // 2], points.unflatten(0, (-1, 2)))
    places = torch.cdist(views[len(images) // 2 :, 1].detach(), points.detach()).argmin(1)
    assert (characters[places] != characters).all()


# Pictures and captions


def test_variants_of_a_picture_share_their_base():
    bases = [emoji_search.base_of(caption) for caption in ("man cook, dark skin tone", "woman cook", "cook")]
    assert bases == ["cook"] * 3
    assert emoji_search.base_of("flag, Togo") == emoji_search.base_of("flag, Wales") == "flag"
    assert emoji_search.base_of("woman, blond hair") == emoji_search.base_of("person") == "person"


def test_search_finds_captions_of_new_pictures_more_often_than_chance(real_data):
    emoji = emoji_search.read(real_data / "twemoji-names" / "twemoji_32x32_named_png.zip")
    bases, held = emoji_search.split(emoji, seed=0)
    unseen = {emoji.bases[row] for row in held}
    assert len(unseen) == len(held) == 282
    assert not unseen & {emoji.bases[row] for row in itertools.chain(*bases)}
    network = emoji_search.train(emoji, bases, updates=80, seed=0, batch=64)
    found = emoji_search.recall(network, emoji, held)
    assert found.at_10 > 2 * 10 / found.candidates
    assert found.at_1 <= found.at_10


def test_search_in_one_call_asks_the_same_question(real_data, tmp_path):
    table = emoji_pairs.unpack(real_data / emoji_pairs.ARCHIVE, tmp_path)
    parts = emoji_pairs.held_out(table, seed=0)
    rows = pl.read_csv(table)
    assert len(parts["test"]) == 282
    assert not set(rows["base"][parts["test"]]) & set(rows["base"][parts["train"]])
    run = emoji_pairs.train(table, seed=0, updates=30, left_width=8, batch_size=64)
    assert run.record.rows["test"] == 282
    assert run.metrics["left_recall_at_10"] > 1.3 * 10 / 282
    found = run.embed({"right": ["a red heart", "flag of a far country"]})
    assert found.shape == (2, run.plan.width)


# A rare class


def test_no_row_is_on_both_sides(real_data):
    rows = rare_class.read(real_data / "mammography" / "mammography.csv")
    assert (len(rows.classes), int(rows.classes.sum())) == (7849, 254)
    train, test = rare_class.split(rows, seed=0)
    together = torch.cat([torch.cat([part.numbers, part.classes.unsqueeze(1)], 1) for part in (train, test)])
    assert len(together.unique(dim=0)) == len(together) == 7849
    assert test.classes.float().mean() == pytest.approx(254 / 7849, abs=1e-3)
    assert train.numbers.std(0).tolist() == pytest.approx([1.0] * 6, abs=1e-3)


def test_both_losses_find_the_rare_class(real_data):
    rows = rare_class.read(real_data / "mammography" / "mammography.csv")
    scores = rare_class.compare(rows, seeds=1, epochs=3)
    assert scores.keys() == {"cross_entropy", "focal"}
    for (found,) in scores.values():
        assert found.average_precision > 0.4  # of guessing: 0.023
        assert found.log_loss < 0.3


# A table


def test_the_bound_beats_one_normal_and_samples_look_like_the_table(real_data):
    rows, held = table_vae.read(real_data / "uci-energy", 0)
    network, head = table_vae.train(rows, updates=400, seed=0)
    score = table_vae.evaluate(network, held, draws=10)
    assert score.elbo > table_vae.normal_score(rows, held, "independent") + 3
    assert 2 <= score.active <= table_vae.UNITS
    assert score.kl > 1
    drawn = table_vae.sample(head, 2000)
    assert drawn.mean(0).abs().max() < 0.4
    assert ((drawn.std(0) > 0.6) & (drawn.std(0) < 1.4)).all()
    assert (drawn.T.corrcoef() - rows.T.corrcoef()).abs().max() < 0.4


# Two peaks


def test_one_direction_covers_both_peaks_and_the_other_picks_one(tmp_path):
    p, fits = two_peaks.compare(updates=120)
    covering, picking = fits["D(P||Q)"], fits["D(Q||P)"]
    assert covering.mean == pytest.approx(p.mean.item(), abs=0.01)  # the moments of P, by theory
    assert covering.deviation == pytest.approx(p.stddev.item(), abs=0.01)
    assert picking.mean == pytest.approx(2.0, abs=0.05)  # the heavier peak
    assert picking.deviation == pytest.approx(0.6, abs=0.05)


def test_the_picture_shows_the_peaks_and_both_fits(tmp_path):
    path = tmp_path / "picture.svg"
    result = CliRunner().invoke(two_peaks.main, ["--updates", "5", "--out", str(path)])
    assert result.exit_code == 0, result.output
    drawn = path.read_text()
    assert drawn.startswith("<svg")
    assert drawn.count("stroke-linejoin") == 3
    assert all(word in drawn for word in ("P, two peaks", "Q by D(P||Q)", "Q by D(Q||P)"))


# Spoken vowels


def test_speakers_are_known_by_a_vowel_and_less_by_its_beginning(real_data):
    result = CliRunner().invoke(spoken_vowels.main, [str(real_data), "--updates", "60"])
    assert result.exit_code == 0, result.output
    rows = [line.split("│")[1:3] for line in result.output.splitlines() if line.startswith("│")]
    right = {int(steps): float(share.strip(" %")) for steps, share in rows}
    assert right[1] < 80 and right[32] > 90  # nine speakers: chance is 11 %
    assert f"whole utterances: {right[32]:.1f}% right" in result.output


# Molecules


def test_molecules_are_told_apart_and_more_rings_are_worse(real_data):
    from examples import molecules

    result = CliRunner().invoke(molecules.main, [str(real_data), "--folds", "1", "--epochs", "15"])
    assert result.exit_code == 0, result.output
    assert float(result.output.split("1 folds: ")[1].split("%")[0]) > 70  # the commonest class: 66.5 %
    shares = [int(line.split("│")[2].strip(" %")) for line in result.output.splitlines() if line.startswith("│")]
    assert len(shares) == 6 and shares[5] > shares[0]


def test_molecules_say_what_they_need(tmp_path):
    from examples import molecules

    result = CliRunner().invoke(molecules.main, [str(tmp_path)])
    assert result.exit_code == 1 and f"needs {tmp_path}" in result.output


# Power and warmth of a transformer


def test_hours_to_come_are_forecast_with_their_band(real_data, tmp_path):
    out = tmp_path / "run"
    result = CliRunner().invoke(power_forecast.main, [str(real_data), "--updates", "60", "--out", str(out)])
    assert result.exit_code == 0, result.output
    record = ek.load(out).record
    assert record.metrics["rmse"] < 0.8 * record.baselines["repeat-last"]["rmse"]
    assert f"rmse {record.metrics['rmse']:.3f} in the units" in result.output
    assert "2018-02-21 00:00:00" in result.output and "OT high 95%" in result.output
    assert "Forecasts of test windows" in (out / "report.html").read_text()


# Images in files


def test_digits_in_files_are_read_and_learned(tmp_path):
    digits_from_files.write(tmp_path / "digits", seed=0, most=300)
    run = digits_from_files.train(tmp_path / "digits", epochs=8)
    assert "different sizes are brought to" in run.record.notes[0]
    assert run.evaluate(tmp_path / "digits" / "test")["accuracy"] > 0.6  # of guessing: 0.1
    path = next((tmp_path / "digits" / "test" / "3").iterdir())
    assert run.predict(path)[0] in range(10)


# Reviews of films


def test_words_tell_friendly_reviews_from_hostile_ones(real_data):
    result = CliRunner().invoke(film_reviews.main, [str(real_data), "--epochs", "4"])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    shares = dict(line.split(": accuracy ") for line in lines if ": accuracy " in line)
    assert shares.keys() == {"network", "naive Bayes", "linear"}
    assert float(shares["network"]) > 0.75  # guessing: 0.5
    assert sum("% friendly" in line for line in lines) == 4


# A text that is continued


def test_shakespeare_is_read_and_gone_on_with(real_data, tmp_path):
    path = tmp_path / "part.txt"
    path.write_text((real_data / shakespeare.FILE).read_text()[:100_000])
    run = shakespeare.train(path, 600, updates=40, width=32, depth=1, window=32)
    assert run.metrics["perplexity"] < run.record.baselines["token counts"]["perplexity"]
    text = run.generate("ROMEO:", length=40)
    assert len(text) == 40 and set(text) <= set(path.read_text())
