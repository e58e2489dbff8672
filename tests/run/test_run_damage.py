"""A saved run that is damaged, incomplete or rogue is an error by name, and nothing in it is ever executed."""

import json
import os
import pickle

import pytest

from _small import small_frame, small_run
from evenkeel.errors import RequestError, SavedRunError
from evenkeel.run.run import RECORD, SAMPLE, WEIGHTS, load
from evenkeel.train.checkpoint import MANIFEST, _sum

NEW = small_frame(rows=50, seed=9)


@pytest.mark.parametrize("name", [RECORD, WEIGHTS, SAMPLE])
@pytest.mark.parametrize("place", [0.02, 0.5, 0.98])
def test_a_flipped_byte_is_an_error_by_name(harmed, name, place):
    raw = bytearray((harmed / name).read_bytes())
    raw[int(place * len(raw))] ^= 0x10
    (harmed / name).write_bytes(raw)
    with pytest.raises(SavedRunError, match=f"{name} is damaged: its contents are not what was saved"):
        load(harmed)


@pytest.mark.parametrize("name", [RECORD, WEIGHTS, SAMPLE, MANIFEST])
def test_a_missing_file_is_an_error_by_name(harmed, name):
    (harmed / name).unlink()
    with pytest.raises(SavedRunError, match=rf"holds no saved run \(no {name}\)|is incomplete: {name} is missing"):
        load(harmed)


def put(folder, name, content):
    """Put a file into a saved run with a sum that fits, as an attacker would."""
    (folder / name).write_bytes(content)
    sums = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**sums, name: _sum(folder / name)}))


class Rogue:
    """Writes a file when it is unpickled."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return (os.mkdir, (str(self.place),))


@pytest.mark.parametrize("name", [WEIGHTS, SAMPLE])
def test_a_pickle_in_place_of_weights_is_never_run(harmed, tmp_path, name):
    put(harmed, name, pickle.dumps(Rogue(tmp_path / "ran")))
    with pytest.raises(SavedRunError, match=f"{name} is not a safetensors file"):
        load(harmed)
    assert not (tmp_path / "ran").exists()


def test_a_record_that_names_code_or_nonsense_is_refused(harmed):
    record = json.loads((harmed / RECORD).read_text())
    for change in ({"net": "os.system"}, {"plan": {**record["plan"], "net": "os:system"}}, {"format": 7}):
        put(harmed, RECORD, json.dumps({**record, **change}).encode())
        with pytest.raises((SavedRunError, RequestError), match=r"not a record this version can read|no net is called"):
            load(harmed)
    put(harmed, RECORD, b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(SavedRunError, match="not a record this version can read"):
        load(harmed)


def test_a_path_that_leaves_the_folder_is_refused(harmed, tmp_path):
    (harmed / WEIGHTS).rename(tmp_path / "outside")
    (harmed / WEIGHTS).symlink_to(tmp_path / "outside")
    with pytest.raises(SavedRunError, match="is a link that leaves the folder; nothing outside it is read"):
        load(harmed)


def test_a_manifest_cannot_make_other_files_be_read(harmed, tmp_path):
    (tmp_path / "secret").write_text("x")
    sums = json.loads((harmed / MANIFEST).read_text())
    (harmed / MANIFEST).write_text(json.dumps({**sums, "../secret": "0", str(tmp_path / "secret"): "0"}))
    assert load(harmed).predict(NEW).shape == (50,)


def test_weights_of_another_network_are_refused(harmed, tmp_path):
    other = small_run("regression").save(tmp_path / "other")
    put(harmed, WEIGHTS, (other / WEIGHTS).read_bytes())
    with pytest.raises(SavedRunError, match=r"the weights in .* do not fit the network"):
        load(harmed)


def test_a_folder_that_is_not_there():
    with pytest.raises(SavedRunError, match=r"there is no folder .*nowhere; expected one that run.save or `evenkeel"):
        load("nowhere")
