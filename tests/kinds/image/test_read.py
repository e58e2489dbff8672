import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from _pictures import NAMES, arrays, write_classes, write_idx
from evenkeel.errors import DataError
from evenkeel.kinds.image import cache as image_cache
from evenkeel.kinds.image.read import images_like, read_images, recognises_images
from evenkeel.kinds.image.schema import ImageOptions, fit_images

OPTIONS = ImageOptions(cache="none")
NUMBERS = {name: code for code, name in enumerate(NAMES)}


@pytest.fixture
def folder(tmp_path):
    return write_classes(tmp_path / "trees", 4)


@pytest.fixture
def idx(tmp_path):
    images, names = arrays(4)
    labels = np.array([NUMBERS[name] for name in names])
    write_idx(tmp_path / "idx", "t10k", images[:3], labels[:3], bytes, "")
    return write_idx(tmp_path / "idx", "train", images, labels)


def schema_of(images):
    return fit_images(images.pixels, np.arange(len(images.pixels)), OPTIONS)


def test_folders_arrays_and_idx_files_give_the_same_images(folder, idx):
    images, names = arrays(4)
    images_read = [read_images(data, OPTIONS) for data in (folder, (images, names), (torch.tensor(images), names), idx)]
    assert all(torch.equal(each.pixels, images_read[0].pixels) for each in images_read)
    assert images_read[0].pixels.shape == (12, 1, 10, 10) and images_read[0].pixels.dtype == torch.uint8
    assert [each.class_column for each in images_read] == ["class", None, None, "class"]
    assert images_read[0].frame["class"].to_list() == images_read[1].frame["target"].to_list() == names.tolist()
    assert images_read[3].frame["class"].to_list() == [NUMBERS[name] for name in names]
    assert images_read[0].source == str(folder) and images_read[1].source == "a tuple"


def test_of_idx_files_one_pair_can_be_named(idx):
    images_read = read_images(idx / "t10k-images-idx3-ubyte", OPTIONS, "digit")
    assert (
        len(images_read.pixels) == 3 and images_read.frame.columns == ["digit"] and images_read.class_column == "digit"
    )


@pytest.mark.parametrize(
    ("answers", "target", "columns"),
    [
        (np.arange(12), None, ["target"]),
        (np.arange(12), "age", ["age"]),
        (np.eye(12)[:, :2], None, ["target_0", "target_1"]),
        (np.eye(12)[:, :2], ["a", "b"], ["a", "b"]),
        ([["x"], ["x", "y"]] * 6, None, ["target"]),
    ],
)
def test_answers_beside_arrays_become_columns(answers, target, columns):
    assert read_images((arrays(4)[0], answers), OPTIONS, target).frame.columns == columns


def test_files_that_cannot_be_read_are_named_counted_and_left_out(folder):
    (folder / "ash" / "001.png").write_text("broken")
    cut = folder / "birch" / "002.png"
    cut.write_bytes(cut.read_bytes()[:-60])
    images_read = read_images(folder, OPTIONS)
    assert images_read.height == 12 and images_read.rows.tolist() == [0, 2, 3, 4, 5, *range(7, 12)]
    assert images_read.frame["class"].to_list() == ["ash"] * 3 + ["birch"] * 3 + ["cedar"] * 4
    (note,) = images_read.notes
    assert note.startswith("2 of 12 image files cannot be read: 001.png (") and note.endswith("; they are left out.")


def test_missing_files_of_a_table_are_left_out(folder):
    frame = pl.DataFrame({"photo": [str(folder / "ash" / name) for name in ("000.png", "gone.png")], "x": [1, 2]})
    images_read = read_images(frame, OPTIONS)
    assert images_read.frame["x"].to_list() == [1] and images_read.images == "photo"
    assert images_read.notes == ("1 of 2 image files cannot be read: gone.png (missing); they are left out.",)


def test_where_no_file_can_be_read_there_is_one_error(folder):
    for path in folder.rglob("*.png"):
        path.write_text("broken")
    with pytest.raises(DataError, match=r"12 of 12 image files cannot be read: .*; nothing is left to learn from"):
        read_images(folder, OPTIONS)


def test_where_headers_are_whole_and_no_content_is_there_is_one_error(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (50, 50), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"1 of 1 image files cannot be read: .*; nothing is left to learn from"):
        read_images([path], OPTIONS)


def test_decoded_images_are_kept_where_that_is_asked_for(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(image_cache, "FEWEST_FILES", 1)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    read_images(folder, ImageOptions(cache=str(tmp_path / "own")))
    assert len(list((tmp_path / "own").iterdir())) == 1 and not (tmp_path / "user").exists()
    read_images(folder, ImageOptions(cache="none"))
    assert not (tmp_path / "user").exists()
    read_images(folder, ImageOptions())
    assert len(list((tmp_path / "user" / "evenkeel" / "images").iterdir())) == 1


def test_new_images_are_brought_to_the_form_of_training(folder):
    images = read_images(folder, OPTIONS)
    schema = schema_of(images)
    assert torch.equal(images_like(schema, folder).pixels, images.pixels)
    assert torch.equal(images_like(schema, folder / "birch").pixels, images.pixels[4:8])
    assert torch.equal(images_like(schema, folder / "birch" / "001.png").pixels, images.pixels[5:6])
    as_floats = images.pixels.permute(0, 2, 3, 1).double().numpy()
    assert torch.equal(images_like(schema, as_floats).pixels, images.pixels)
    assert torch.equal(images_like(schema, (as_floats, None)).pixels, images.pixels)
    colour = folder.parent / "large.png"
    Image.new("RGB", (31, 22), "red").save(colour)
    assert images_like(schema, colour).pixels.shape == (1, 1, 10, 10)


def test_new_images_with_answers(folder, idx):
    schema = schema_of(read_images(folder, OPTIONS))
    assert images_like(schema, folder, "tree").frame.columns == ["tree"]
    images_read = images_like(schema, idx / "t10k-images-idx3-ubyte", "digit")
    assert images_read.frame.columns == ["digit"] and len(images_read.pixels) == 3


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (np.zeros((2, 9, 10), np.uint8), "training saw images of 10 x 10 pixels with 1 channel.*got 9 x 10 with 1"),
        (np.zeros((2, 10, 10, 3), np.uint8), "got 10 x 10 with 3; resize the array"),
        (np.full((2, 10, 10), 0.5), r"training saw whole numbers 0..255, got numbers from 0.5 to 0.5; try \(X \* 255"),
    ],
)
def test_arrays_of_another_form_are_refused(new, message, folder):
    with pytest.raises(DataError, match=message):
        images_like(schema_of(read_images(folder, OPTIONS)), new)


def test_numbers_of_another_range_are_refused():
    schema = fit_images(torch.rand(12, 1, 10, 10), np.arange(12), OPTIONS)
    assert images_like(schema, np.full((2, 10, 10), 0.5)).pixels.dtype == torch.float32
    with pytest.raises(DataError, match=r"training saw pixels from .* these go from 200 to 200"):
        images_like(schema, np.full((2, 10, 10), 200, np.uint8))


def test_a_new_file_that_cannot_be_read_is_an_error(folder):
    schema = schema_of(read_images(folder, OPTIONS))
    (folder / "ash" / "001.png").write_text("broken")
    with pytest.raises(DataError, match="every image must give a prediction"):
        images_like(schema, folder)


def test_what_is_taken_for_images_without_being_told(folder, idx, tmp_path):
    images, names = arrays(4)
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    taken = [folder, str(folder), idx, idx / "t10k-images-idx3-ubyte", images, (images, names), (images[..., None], 1)]
    left = ["sample:digits", tmp_path / "a.csv", (images.astype(float), names), tmp_path / "none", np.zeros((4, 4))]
    assert [recognises_images(data) for data in taken] == [True] * len(taken)
    assert [recognises_images(data) for data in left] == [False] * len(left)
    assert not any(recognises_images(data) for data in (None, 5, object(), {"a": [1]}, pl.DataFrame({"a": [1]}), "x"))


def test_pictures_in_memory_of_numbers_must_have_the_size_of_training():
    schema = fit_images(torch.rand(12, 1, 10, 10), np.arange(12), OPTIONS)
    few = [np.full((10, 10), 0.25), torch.full((10, 10), 0.5)]
    assert images_like(schema, few).pixels.flatten(1)[:, 0].tolist() == [0.25, 0.5]
    with pytest.raises(DataError, match=r"the one size that training saw, got sizes such as \[\(9, 10\), \(10, 10\)\]"):
        images_like(schema, [few[0], np.zeros((9, 10))])


def test_files_that_cannot_be_read_may_be_left_out_of_new_images(folder):
    images = read_images(folder, OPTIONS)
    (folder / "ash" / "001.png").write_text("broken")
    images_read = images_like(schema_of(images), folder, "class", classes="folders", unreadable="leave out")
    rows = [0, *range(2, 12)]
    assert images_read.rows.tolist() == rows and torch.equal(images_read.pixels, images.pixels[rows])
    assert len(images_read.lost) == 1 and "001.png" in images_read.lost[0]


def test_names_are_those_of_the_files(folder):
    schema = schema_of(read_images(folder, OPTIONS))
    assert images_like(schema, folder).files[4] == "birch/000.png" and images_like(schema, arrays(1)[0]).files == ()
