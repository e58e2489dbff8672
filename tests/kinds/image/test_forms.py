"""Images in every form that people hold them in, from `fit` to a prediction, and the notes on those left out."""

import shutil

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from PIL import Image

import evenkeel as ek
from _pictures import NAMES, arrays, write_classes, write_idx
from evenkeel.cli import cli
from evenkeel.data.dataset import SplitRequest
from evenkeel.errors import DataError
from evenkeel.kinds import PARTS as KINDS
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.choose import kind_of
from evenkeel.kinds.image.schema import ImageOptions

IMAGE = KINDS["image"]
OPTIONS = ImageOptions(cache="none")
SMALL = {"width": 8, "depth": 1, "epochs": 12, "learning_rate": 1e-2, "cache": "none"}


def prepare(data, **request):
    return IMAGE.prepare(data, DataRequest(**{"options": OPTIONS, **request}))


def pictures(each=16):
    images, names = arrays(each)
    return [Image.fromarray(image) for image in images], names


@pytest.fixture(scope="module")
def run():
    return ek.fit(pictures(), progress=False, settings=SMALL)


@pytest.fixture
def folder(tmp_path):
    return write_classes(tmp_path / "trees", 8)


def test_a_run_of_pictures_in_memory_predicts_all_that_are(run, tmp_path):
    images, names = arrays(16)
    in_memory, _ = pictures()
    expected = run.predict_proba(images)
    assert run.kind is IMAGE and run.evaluate((in_memory, names))["accuracy"] > 0.9
    for new in (in_memory, list(images), tuple(in_memory), [image[..., None] for image in images]):
        np.testing.assert_array_equal(run.predict_proba(new), expected)
    assert run.predict(in_memory[20]).tolist() == run.predict(images[20:21]).tolist()
    paths = [tmp_path / f"{place}.png" for place in range(3)]
    for path, image in zip(paths, in_memory, strict=False):
        image.save(path)
    np.testing.assert_array_equal(run.predict_proba([str(path) for path in paths]), expected[:3])


def test_pictures_in_memory_of_another_size_are_brought_to_that_of_training(run):
    large = [Image.fromarray(image).resize((20, 20)).convert("RGB") for image in arrays(1)[0]]
    assert run.predict(large).tolist() == list(NAMES)
    assert run.predict([np.asarray(image) for image in large]).tolist() == list(NAMES)


def test_images_of_different_sizes_in_a_list_are_learned():
    images, names = arrays(16)
    mixed = [np.pad(image, (0, 2)) if place % 2 else image for place, image in enumerate(images)]
    data = prepare((mixed, names)).dataset
    assert data.inputs["pixels"].shape == (48, 1, 12, 12) and data.notes[0].startswith("Images of 2 different sizes")
    again = IMAGE.encode(data.schema, mixed).inputs["pixels"]
    assert (again == data.inputs["pixels"]).all()


@pytest.mark.parametrize("form", [list, np.array, pl.Series, lambda paths: [str(path) for path in paths]])
def test_a_list_of_paths_with_answers(form, folder):
    paths = sorted(folder.rglob("*.png"))
    names = [path.parent.name for path in paths]
    data = (form([str(path) for path in paths]), names)
    assert kind_of(data) is IMAGE and kind_of(data, target="tree") is IMAGE
    prepared, expected = prepare(data).dataset, prepare(folder).dataset
    assert (prepared.inputs["pixels"] == expected.inputs["pixels"]).all() and (prepared.target == expected.target).all()


def test_other_lists_of_words_are_no_images(folder):
    assert kind_of((["gone.png"] * 20, ["a", "b"] * 10)) is not IMAGE
    assert kind_of((["a red cat and a big dog", str(folder / "ash" / "000.png")] * 10, ["a", "b"] * 10)) is not IMAGE
    assert kind_of(pictures(4)) is IMAGE and kind_of(pictures(4)[0], task="generation") is IMAGE


@pytest.mark.parametrize("kind", [np.int64, np.float64])
@pytest.mark.parametrize("top", [1, 255])
def test_numbers_of_any_type_are_read(kind, top):
    images, names = arrays(8)
    colour = np.repeat(images[..., None], 3, axis=3) * (top / 255 if top == 1 and kind == np.float64 else 1)
    data = prepare((colour.astype(kind), names)).dataset
    assert data.inputs["pixels"].shape == (24, 3, 10, 10)
    assert data.schema.values == ("numbers" if kind == np.float64 else "bytes") and data.schema.high <= 255


def test_folders_train_and_test_give_the_split(folder):
    for part, rows in (("train", slice(0, 6)), ("test", slice(6, 8))):
        for name in NAMES:
            (folder.parent / "all" / part / name).mkdir(parents=True)
            for path in sorted((folder / name).glob("*.png"))[rows]:
                shutil.copy(path, folder.parent / "all" / part / name)
    root = folder.parent / "all"
    assert kind_of(root) is IMAGE
    prepared = prepare(root, split=SplitRequest(validation=0.2))
    split, names = prepared.dataset.split, IMAGE.encode(prepared.dataset.schema, root).keys["file"]
    assert split.how.startswith("given") and prepared.choice.reason == "each folder is a class"
    assert prepared.dataset.target_schema.levels == NAMES
    assert [names[row].split("/")[0] for row in split.test] == ["test"] * 6
    assert {names[row].split("/")[0] for row in (*split.train, *split.validation)} == {"train"}
    assert len(split.validation) == 4
    words = prepare(root, split=SplitRequest(how=["train", "test", "validation"] * 8)).dataset.split
    assert len(words.test) == 8, "a split that was asked for goes first"
    assert len(prepare(root, task="generation").dataset.split.test) == 6


def test_images_below_and_beside_the_class_folders(folder):
    (folder / "ash" / "2024").mkdir()
    for place in range(3):
        shutil.move(folder / "ash" / f"00{place}.png", folder / "ash" / "2024")
    shutil.copy(folder / "birch" / "000.png", folder / "stray.png")
    prepared = prepare(folder).dataset
    assert len(prepared) == 24
    assert prepared.notes == ("1 image(s) beside the class folders have no class and are left out: stray.png.",)
    new = IMAGE.encode(prepared.schema, folder)
    fields, keys = new.inputs, new.keys
    assert len(fields["pixels"]) == len(keys["file"]) == 25 and keys["file"][-1] == "stray.png"
    assert "ash/2024/000.png" in keys["file"]
    with pytest.warns(UserWarning, match="beside the class folders"):
        assert len(IMAGE.answers(prepared.schema, prepared.target_schema, folder).target) == 24


def test_a_class_of_which_nothing_can_be_read_is_explained(folder):
    for path in (folder / "ash").glob("*.png"):
        path.write_text("broken")
    data = prepare(folder).dataset
    assert data.notes[-1] == "No image of class 'ash' can be read." and data.target_schema.levels == NAMES[1:]
    for path in sorted((folder / "cedar").glob("*.png")):
        path.rename(folder / "birch" / f"more{path.name}")
    (folder / "cedar").rmdir()
    message = (
        r"'class' has 1 value.*\. 8 of 24 image files cannot be read: 000.png \(.* No image of class 'ash' can be read"
    )
    with pytest.raises(DataError, match=message):
        prepare(folder)


def test_rows_without_a_target_are_counted_where_too_little_is_left():
    images, _ = arrays(20)
    answers = np.where(np.arange(60) < 40, np.nan, 1.0)
    with pytest.raises(DataError, match=r"has 1 value\(s\) \(1.0\).* 40 of 60 rows have no target value"):
        prepare((images, answers))


def test_an_empty_path_in_a_table_is_named_by_its_row(folder, tmp_path):
    paths = [str(path.relative_to(tmp_path)) for path in sorted(folder.rglob("*.png"))]
    names = [path.split("/")[1] for path in paths]
    paths[9] = ""
    pl.DataFrame({"photo": paths, "tree": names}).write_csv(tmp_path / "trees.csv")
    (note,) = prepare(tmp_path / "trees.csv", target="tree").dataset.notes
    assert note == "1 of 24 image files cannot be read: row 9: empty path; they are left out."


def test_evaluation_leaves_out_what_cannot_be_read_and_prediction_refuses(run, folder):
    whole = run.evaluate(folder)
    (folder / "birch" / "new.png").write_text("broken")
    assert whole["accuracy"] > 0.9
    with pytest.warns(UserWarning, match=r"1 of 25 image files cannot be read: new\.png .*; they are left out"):
        assert run.evaluate(folder) == whole
    with pytest.raises(DataError, match="every image must give a prediction"):
        run.predict(folder)


def test_the_command_line_says_what_evaluation_needs(run, folder, tmp_path):
    run.save(tmp_path / "run")
    prepared = CliRunner().invoke(cli, ["evaluate", str(tmp_path / "run"), str(folder / "ash")])
    assert isinstance(prepared.exception, DataError) and "expected a folder for each class" in str(prepared.exception)


def test_labels_of_idx_files_are_no_folders(tmp_path):
    images, names = arrays(8)
    write_idx(tmp_path, "train", images, np.unique(names, return_inverse=True)[1])
    assert prepare(tmp_path).choice.reason == "as labelled"
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    assert len(prepare(tmp_path, task="generation").dataset) == 24


def test_files_say_which_prediction_is_theirs(run, folder, tmp_path):
    schema = run.record.schema_
    keys = {name: IMAGE.encode(schema, folder / name).keys["file"] for name in NAMES}
    assert keys["ash"] == [f"00{place}.png" for place in range(8)]
    assert IMAGE.encode(schema, folder).keys["file"] == [f"{name}/{file}" for name in NAMES for file in keys[name]]
    assert IMAGE.encode(schema, [folder / "ash" / "001.png"]).keys["file"] == [str(folder / "ash" / "001.png")]
    pl.DataFrame({"n": [1], "photo": ["trees/ash/003.png"]}).write_csv(tmp_path / "t.csv")
    assert IMAGE.encode(schema, tmp_path / "t.csv").keys == {"file": ["trees/ash/003.png"]}
    images, _ = arrays(2)
    assert IMAGE.encode(schema, images).keys == IMAGE.encode(schema, pictures(2)[0]).keys == {}
