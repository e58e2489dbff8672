"""The examples in a short form: each learns something from real data that chance or a plain baseline does not know."""

import itertools

import pytest
import torch
from click.testing import CliRunner
from examples import emoji_search, one_shot, rare_class, table_vae, two_peaks

ON_DATA = {"emoji_search": emoji_search, "one_shot": one_shot, "rare_class": rare_class, "table_vae": table_vae}


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
