import numpy as np
import polars as pl
import pytest
import torch
from click.testing import CliRunner
from torch import nn

import evenkeel as ek
from _pictures import NAMES, arrays, write_classes, write_idx
from evenkeel.cli import cli
from evenkeel.data.dataset import SplitRequest
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds import PARTS as KINDS
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.choose import kind_of
from evenkeel.kinds.image.schema import ImageOptions

IMAGE = KINDS["image"]
OPTIONS = ImageOptions(cache="none")
SMALL = {"width": 8, "depth": 1, "epochs": 12, "learning_rate": 1e-2, "cache": "none"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_classes(tmp_path_factory.mktemp("images") / "trees", 16)


@pytest.fixture(scope="module")
def run(folder):
    return ek.fit(folder, progress=False, settings=SMALL)


def prepare(data, **request):
    return IMAGE.prepare(data, DataRequest(**{"options": OPTIONS, **request}))


def test_class_folders_are_learned(run, folder):
    assert run.kind is IMAGE and run.plan.task == "single-label" and run.plan.net == "cnn"
    assert run.record.reason == "each folder is a class" and run.record.target.name == "class"
    assert run.classes == NAMES
    assert run.evaluate(folder)["accuracy"] > 0.9
    assert set(run.record.baselines) == {"linear", "nearest neighbours"}


def test_one_path_or_many_or_an_array_are_predicted(run, folder):
    paths = sorted((folder / "birch").glob("*.png"))
    one, many = run.predict(paths[0]), run.predict_proba(paths)
    assert one.shape == (1,) and many.shape == (16, 3)
    np.testing.assert_allclose(many, run.predict_proba(folder / "birch"))
    images, _ = arrays(16)
    np.testing.assert_allclose(run.predict_proba(images)[16:32], many, atol=1e-6)
    assert run.embed(folder).shape == (48, 64)


def test_a_saved_run_predicts_the_same(run, folder, tmp_path):
    loaded = ek.load(run.save(tmp_path / "run"))
    assert loaded.record == run.record
    np.testing.assert_array_equal(loaded.predict_proba(folder), run.predict_proba(folder))
    assert loaded.evaluate(folder) == run.evaluate(folder)
    assert "<html" in loaded.report_text()


def test_the_report_keeps_test_images_beside_their_outputs(run, folder):
    place, kept = run.sample["shown.place"], run.sample["shown.pixels"]
    assert len(place) == len(kept) == run.record.rows["test"] and kept.dtype == torch.uint8
    probability = run.network.head.probability(run.sample["output"])[place]
    again = run.predict_proba(kept.numpy().transpose(0, 2, 3, 1))
    np.testing.assert_allclose(again, probability.numpy(), atol=1e-5)


def test_the_command_line_takes_a_folder(folder, tmp_path):
    out = tmp_path / "run"
    settings = [part for key, value in {**SMALL, "epochs": 1}.items() for part in ("--set", f"{key}={value}")]
    arguments = ["train", str(folder), "--target", "tree", "--out", str(out), "--quiet", *settings]
    prepared = CliRunner().invoke(cli, arguments)
    assert prepared.exit_code == 0 and "each folder is a class" in prepared.output
    prepared = CliRunner().invoke(cli, ["evaluate", str(out), str(folder)])
    assert prepared.exit_code == 0 and "accuracy" in prepared.output
    prepared = CliRunner().invoke(cli, ["predict", str(out), str(folder / "ash")])
    assert prepared.exit_code == 0 and len(prepared.output.splitlines()) == 17


def test_a_net_of_the_users_own(folder, tmp_path):
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 64, 10))
    run = ek.fit(folder, net=net, progress=False, settings={"epochs": 2, "cache": "none"})
    loaded = ek.load(run.save(tmp_path / "run"), net=net)
    np.testing.assert_array_equal(loaded.predict_proba(folder), run.predict_proba(folder))


def test_images_are_made_from_a_code(tmp_path):
    images, _ = arrays(16)
    settings = {**SMALL, "epochs": 30, "latent": 3}
    run = ek.fit(images, task="generation", progress=False, settings=settings)
    assert run.record.target.kind == "inputs" and run.record.target.size == 100
    loaded = ek.load(run.save(tmp_path / "run"))
    assert loaded.evaluate(images) == run.evaluate(images)
    mean_image = images.reshape(48, -1).mean(0) / 255
    assert run.evaluate(images)["reconstruction"] < ((images.reshape(48, -1) / 255 - mean_image) ** 2).mean()
    made, between = run.draw(5), run.interpolate(images[:1], images[40:41], steps=4)
    assert made.shape == (5, 10, 10, 1) and made.dtype == np.uint8 and between.shape == (4, 10, 10, 1)
    assert (
        run.predict(images)
        == run.kind.restore(
            run.record.schema_, run.network.predict({"pixels": torch.from_numpy(images[:, None])})
        ).numpy()
    ).all()


@pytest.fixture
def table(folder):
    paths = sorted(str(path) for path in folder.rglob("*.png"))
    code = np.repeat(np.arange(3), 16)
    return pl.DataFrame(
        {
            "photo": paths,
            "tree": np.array(NAMES)[code],
            "height": code * 3.7 + np.linspace(0, 1, 48),
            "site": np.arange(48) % 4,
        }
    )


@pytest.mark.parametrize(
    ("target", "task", "kind"),
    [("tree", "single-label", "class"), ("height", "probabilistic-regression", "number")],
)
def test_a_table_of_paths_with_any_target(target, task, kind, table):
    prepared = prepare(table, target=target, split=SplitRequest(how="group:site"))
    assert (prepared.choice.task, prepared.choice.kind) == (task, kind)
    prepared = prepare(table, target=target)
    assert prepared.dataset.schema.images == "photo"
    (note,) = prepared.dataset.notes
    assert "are not read: the images alone are" in note and "site" in note


def test_labels_and_weights_and_given_parts(folder, table):
    images, _ = arrays(16)
    labels = np.eye(3, dtype=int)[np.repeat(np.arange(3), 16)]
    prepared = prepare((images, labels))
    assert prepared.choice.task == "multi-label" and prepared.dataset.target.shape == (48, 3)
    assert prepare(table, target="tree", weight="height").dataset.weight.max() > 1
    broken = table.with_columns(photo=pl.when(pl.int_range(48) == 2).then(pl.lit("gone.png")).otherwise("photo"))
    words = ["test"] * 16 + ["train"] * 32
    split = prepare(broken, target="tree", split=SplitRequest(how=words, validation=0.0)).dataset.split
    assert len(split.test) == 15 and len(split.train) == 32  # the words are those of the table as it came


def test_rows_without_an_answer_lose_their_image(table):
    gap = table.with_columns(tree=pl.when(pl.int_range(48) % 5 == 0).then(None).otherwise("tree"))
    data = prepare(gap, target="tree").dataset
    kept = [row for row in range(48) if row % 5]
    assert torch.equal(data.inputs["pixels"], prepare(table, target="tree").dataset.inputs["pixels"][kept])


def test_idx_labels_are_classes_however_many(tmp_path):
    images = np.zeros((90, 5, 5), np.uint8)
    write_idx(tmp_path, "train", images, np.arange(90) % 30)
    assert prepare(tmp_path).choice.task == "single-label"


@pytest.mark.parametrize("made", ["loose folder", "array", "idx"])
def test_images_without_answers_say_what_could_be_done(made, folder, tmp_path):
    images, _ = arrays(4)
    if made == "idx":
        write_idx(tmp_path, "train", images, np.zeros(12))
        (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    data = {"loose folder": folder / "ash", "array": images, "idx": tmp_path / "train-images-idx3-ubyte.gz"}[made]
    message = (
        "no labels lie beside .*; expected train-labels-idx1-ubyte, gz" if made == "idx" else "nothing is known of"
    )
    with pytest.raises(RequestError, match=f"{message}.*or task='generation'"):
        prepare(data)


def test_a_table_needs_the_name_of_its_target(table):
    with pytest.raises(RequestError, match=r"which column is to be predicted\? .*'tree', 'height', 'site'"):
        prepare(table)
    with pytest.raises(DataError, match="there is no column 'tee' to predict; did you mean 'tree'"):
        prepare(table, target="tee")


def test_generation_takes_no_weights_and_no_handful(table):
    images, _ = arrays(4)
    with pytest.raises(RequestError, match="all count the same; leave out sample_weight"):
        prepare(images, task="generation", weight="x")
    with pytest.raises(DataError, match="expected at least 10 images, got 5"):
        prepare(images[:5], task="generation")


def test_images_for_evaluation_need_answers(run, folder):
    images, _ = arrays(4)
    for data in (folder / "ash", images, list(images)):
        with pytest.raises(DataError, match=r"without the answer 'class', .*expected a folder for each class, a table"):
            run.evaluate(data)
    frame = pl.DataFrame({"photo": [str(folder / "ash" / "000.png")], "class": [None]})
    with pytest.raises(DataError, match="no image has a value of the target 'class'"):
        run.evaluate(frame)


def test_augmentation_is_off_where_it_makes_no_sense():
    images, names = arrays(4)
    assert prepare((images, names)).dataset.augment.turn > 0
    assert prepare((images, names), options=ImageOptions(augment="none")).dataset.augment is None
    mirrored = prepare((images, names), options=ImageOptions(augment="none", flip="horizontal")).dataset.augment
    assert mirrored.flip == "horizontal" and mirrored.turn == mirrored.shift == mirrored.size == 0
    assert prepare(images, task="generation").dataset.augment is None


def test_two_trainings_from_one_seed_are_one_to_the_bit(folder):
    runs = [ek.fit(folder, progress=False, test=0.0, settings={**SMALL, "epochs": 2}) for _ in range(2)]
    for left, right in zip(*(run.network.state_dict().values() for run in runs), strict=True):
        assert torch.equal(left, right)


@pytest.mark.parametrize(
    ("side", "option", "expected"), [(8, None, 1), (28, None, 2), (63, None, 2), (64, None, 1), (28, 1, 1), (8, 2, 2)]
)
def test_middling_images_are_folded(side, option, expected):
    images = np.random.default_rng(0).integers(0, 255, (12, side, side), dtype=np.uint8)
    prepared = prepare((images, np.arange(12) % 2), options=ImageOptions(fold=option))
    assert prepared.dataset.schema.fold == expected


def test_mnist_is_read_whole(real_data):
    prepared = prepare(real_data / "mnist")
    assert len(prepared.dataset) == 60_000 and prepared.dataset.target.bincount().tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949
    ]  # fmt: skip
    answered = IMAGE.answers(
        prepared.dataset.schema, prepared.dataset.target_schema, real_data / "mnist" / "t10k-images-idx3-ubyte.gz"
    )
    assert len(answered.target) == 10_000 and answered.target.bincount()[:3].tolist() == [980, 1135, 1032]
    assert prepared.dataset.schema.mean[0] / 255 == pytest.approx(0.1307, abs=5e-4)
    assert prepared.dataset.schema.spread[0] / 255 == pytest.approx(0.3081, abs=5e-4)


@pytest.mark.parametrize("form", ["class folders", "loose folder", "paths", "array"])
def test_what_is_to_be_generated_from_images_are_images(form, folder):
    paths = sorted((folder / "ash").glob("*.png"))
    data = {"class folders": folder, "loose folder": folder / "ash", "paths": paths, "array": arrays(4)[0]}[form]
    assert kind_of(data, task="generation") is IMAGE
