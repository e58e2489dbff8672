import pytest

from evenkeel.errors import DataError
from evenkeel.kinds.text.folders import files_of, has_classes
from evenkeel.kinds.text.read import read_texts


@pytest.fixture
def classes(tmp_path):
    """Two classes of files, and one file beside them."""
    for name in ("good/b.txt", "good/a.txt", "bad/c.txt", "about.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_files_of_classes_come_in_order_and_the_others_are_counted(classes):
    names = ["bad/c.txt", "good/a.txt", "good/b.txt"]
    assert files_of(classes) == ([classes / name for name in names], 1)
    assert read_texts(classes, text=None).files == tuple(names)
    assert has_classes(classes) and not has_classes(classes / "good")


def test_files_alone_are_all_of_them(classes):
    assert read_texts(classes / "good", text=None).files == ("a.txt", "b.txt") and files_of(classes / "good")[1] == 0


def test_a_folder_without_texts_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"holds no \.txt files"):
        files_of(tmp_path)
