from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from PIL import Image

from _pictures import NAMES, write_classes
from evenkeel.errors import DataError
from evenkeel.kinds.image.listing import holds_images, list_images, path_column


@pytest.fixture
def folder(tmp_path):
    return write_classes(tmp_path / "trees", 3)


def table_of(folder):
    paths = sorted(folder.rglob("*.png"))
    names = [str(path.relative_to(folder.parent)) for path in paths]
    return pl.DataFrame({"size": range(len(names)), "photo": names, "tree": [path.parent.name for path in paths]})


def test_a_folder_for_each_class(folder):
    (folder / ".git").mkdir()
    (folder / "notes.txt").write_text("not an image")
    (folder / "ash" / "._000.png").write_text("left by a system")
    listing = list_images(folder)
    assert len(listing.paths) == 9 and listing.class_column == "class"
    assert listing.frame["class"].to_list() == [name for name in NAMES for _ in range(3)]
    assert all(path.parent.name == name for path, name in zip(listing.paths, listing.frame["class"], strict=True))
    assert list_images(folder, target="tree").frame.columns == ["tree"]


def test_loose_images_a_path_and_a_list_tell_no_classes(folder):
    loose = list_images(folder / "ash")
    assert [path.name for path in loose.paths] == ["000.png", "001.png", "002.png"] and loose.class_column is None
    assert list_images(folder / "ash" / "001.png").paths == (folder / "ash" / "001.png",)
    assert list_images([str(path) for path in loose.paths]).paths == loose.paths


@pytest.mark.parametrize("form", ["csv", "tsv", "parquet", "polars", "pandas"])
def test_a_table_of_paths_relative_to_its_folder(form, folder, monkeypatch):
    frame, path = table_of(folder), folder.parent / f"trees.{form}"
    if form == "parquet":
        frame.write_parquet(path)
    elif form in ("csv", "tsv"):
        frame.write_csv(path, separator="," if form == "csv" else "\t")
    else:
        monkeypatch.chdir(folder.parent)
    data = {"polars": frame, "pandas": pd.DataFrame(frame.to_dict(as_series=False))}.get(form, path)
    assert holds_images(data)
    listing = list_images(data)
    assert listing.frame.columns == ["size", "tree"] and listing.column == "photo" and listing.class_column is None
    assert all(path.is_file() for path in listing.paths)
    assert listing.paths[0] == (Path() if form in ("polars", "pandas") else folder.parent) / "trees/ash/000.png"


def test_absolute_paths_and_gaps_are_kept_as_they_are(folder):
    frame = pl.DataFrame({"photo": [str(folder / "ash" / "000.png"), None]})
    assert list_images(frame, column="photo").paths == (folder / "ash" / "000.png", Path())


def test_what_holds_no_images_is_not_taken_for_them(folder, tmp_path):
    table = pl.DataFrame({"name": ["a.png", "b.png"], "text": ["x", "y"]})
    table.write_csv(tmp_path / "gone.csv")
    table.write_parquet(tmp_path / "gone.parquet")
    (tmp_path / "empty").mkdir()
    others = [table, tmp_path / "gone.csv", tmp_path / "gone.parquet", tmp_path / "empty", tmp_path / "none", [], [1]]
    assert [holds_images(each) for each in others] == [False] * len(others)
    (tmp_path / "broken.parquet").write_text("x")
    assert not holds_images(tmp_path / "broken.parquet")
    assert holds_images(folder) and holds_images(folder / "ash") and holds_images(folder / "ash" / "000.png")


def test_of_several_columns_that_with_most_paths_of_files_is_taken(folder):
    frame = table_of(folder).with_columns(first=pl.lit("x.png"), rare=pl.lit("tall"))
    assert path_column(frame.select("first", "rare", "photo"), folder.parent) == "photo"
    assert path_column(frame.select("first", "rare"), folder.parent) is None


def spoil(folder, how):
    if how == "empty class":
        (folder / "dead").mkdir()
    elif how == "nothing":
        for path in folder.rglob("*.png"):
            path.unlink()
    elif how == "parts":
        (folder.parent / "all").mkdir()
        folder.rename(folder.parent / "all" / "train")
        return folder.parent / "all"
    elif how == "loose parts":
        for name in ("train", "test"):
            (folder.parent / "parts" / name).mkdir(parents=True)
            Image.new("L", (4, 4)).save(folder.parent / "parts" / name / "a.png")
        return folder.parent / "parts"
    elif how == "named missing":
        (folder / "ash").rename(folder / "none")
    elif how == "named alike":
        for name, other in zip(("ash", "birch"), ("1", "01"), strict=True):
            (folder / name).rename(folder / other)
        (folder / "cedar").rename(folder / "2")
    return folder


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("empty class", "folder 'dead' of .* holds no images; remove it"),
        ("nothing", "holds no images, neither itself nor in its folders; expected a folder for each class"),
        ("parts", "holds one folder, 'train', whose images lie in folders of their own; try .*train"),
        ("loose parts", "holds test, train, whose images have no class"),
        ("named missing", "class 'none' is named like a missing value"),
        ("named alike", r"the folders \['01', '1'\] would be read as one class"),
    ],
)
def test_a_folder_that_cannot_be_read_gives_one_clear_message(how, message, folder):
    with pytest.raises(DataError, match=message):
        list_images(spoil(folder, how))


def test_a_table_without_paths_says_what_there_is(tmp_path):
    frame = pl.DataFrame({"a": [1], "b": ["x"]})
    with pytest.raises(DataError, match=r"no column holds paths of image files.*\['a', 'b'\]"):
        list_images(frame)
    with pytest.raises(DataError, match="no column 'photo' of image paths"):
        list_images(frame, column="photo")
    with pytest.raises(DataError, match="empty list"):
        list_images([])


def copy(folder, *places):
    for place in places:
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4)).save(folder / place)
    return folder


def test_images_in_folders_of_a_class_belong_to_it(folder):
    copy(folder, "ash/2024/may/a.png", "elm/x/a.png", "ash/.hidden/a.png")
    listing = list_images(folder)
    assert len(listing.paths) == 11 and listing.notes == ()
    assert listing.frame["class"].to_list().count("ash") == 4 and listing.frame["class"].to_list()[-1] == "elm"
    assert listing.names[3] == "ash/2024/may/a.png"


def test_a_link_that_leads_back_up_is_not_followed(folder):
    (folder / "ash" / "up").symlink_to(folder, target_is_directory=True)
    assert list_images(folder).frame["class"].to_list().count("ash") < 20


def test_images_beside_the_folders_are_counted_or_where_classes_do_not_matter_kept(folder):
    copy(folder, *(f"{name}.png" for name in "dabc"))
    listing = list_images(folder)
    note = "4 image(s) beside the class folders have no class and are left out: a.png, b.png, c.png, ...."
    assert len(listing.paths) == 9 and listing.notes == (note,)
    whole = list_images(folder, classes="none")
    assert whole.names == (*listing.names, "a.png", "b.png", "c.png", "d.png") and whole.class_column is None
    assert whole.frame["class"].to_list() == [*listing.frame["class"], None, None, None, None]


@pytest.mark.parametrize("names", [("train", "test"), ("Training", "testing"), ("train", "valid"), ("train", "val")])
def test_folders_of_parts_hold_the_folders_of_classes(names, tmp_path):
    for name in names:
        copy(tmp_path, f"{name}/ash/a.png", f"{name}/elm/deep/b.png")
        (tmp_path / name / "labels.csv").write_text("file")
    assert holds_images(tmp_path)
    copy(tmp_path, f"{names[0]}/stray.png")
    listing = list_images(tmp_path, target="tree")
    assert len(listing.paths) == 4 and listing.class_column == "tree"
    assert sorted(listing.frame["tree"].to_list()) == ["ash", "ash", "elm", "elm"]
    other = "test" if names[1].startswith("test") else "validation"
    parts = {name.split("/")[0]: part for name, part in zip(listing.names, listing.parts, strict=True)}
    assert parts == {names[0]: "train", names[1]: other} and "1 image(s) beside" in listing.notes[0]


def test_a_class_may_be_called_like_a_part(tmp_path):
    copy(tmp_path, "train/a.png", "car/a.png")
    listing = list_images(tmp_path)
    assert listing.parts is None and listing.frame["class"].to_list() == ["car", "train"]


def test_folders_of_texts_with_a_picture_deep_inside_are_no_images(tmp_path):
    copy(tmp_path, "good/figures/a.png")
    (tmp_path / "good" / "a.txt").write_text("a text")
    assert not holds_images(tmp_path)
    assert holds_images(copy(tmp_path, "bad/more/a.png"))


def test_an_empty_cell_is_an_empty_path(folder):
    table_of(folder).with_columns(photo=pl.when(pl.int_range(9) == 4).then(None).otherwise("photo")).write_csv(
        folder.parent / "gap.csv"
    )
    listing = list_images(folder.parent / "gap.csv")
    assert listing.paths[4] == Path() and listing.names[4] == "" and listing.names[0] == "trees/ash/000.png"
