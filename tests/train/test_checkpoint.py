import itertools
import json
import pickle
import shutil

import pytest
import torch

from _small import same, small_dataset, small_network, small_plan
from evenkeel.errors import SavedRunError
from evenkeel.train.checkpoint import (
    MANIFEST,
    STATE,
    TENSORS,
    check_folder,
    fingerprint,
    read_tensors,
    restore_loop,
    save_loop,
    write_folder,
)
from evenkeel.train.loop import Loop, Watchers

TASK = "probabilistic-regression"
CPU = torch.device("cpu")
SETTINGS = {"dropout": 0.2, "updates": 60, "evaluations": 6, "patience": 1.0}


def fresh(data=None, **settings):
    data = data or small_dataset(TASK)
    chosen = {**SETTINGS, **settings}
    return Loop(small_network(TASK, data, **chosen), data, small_plan(TASK, **chosen), device=CPU)


def run_until(loop, update):
    """Run, asking for the end at the given update."""
    count = itertools.count(loop.state.update + 1)
    loop.run(Watchers(stop=lambda: "SIGINT" if next(count) >= update else ""))
    return loop


def looks(loop):
    """The history, without the time it took."""
    return [look.model_dump(exclude={"seconds"}) for look in loop.state.looks]


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("stops", [[1], [10], [25], [59], [60], [7, 8, 33]])
def test_interrupted_and_continued_is_as_if_never_interrupted(tmp_path, optimizer, stops):
    """At the first step, at a look, between two, at the last step, several times: the same bits, the same history."""
    whole = fresh(optimizer=optimizer)
    whole.run(Watchers())
    for stop in stops:
        loop = fresh(optimizer=optimizer)
        if (tmp_path / "checkpoint").exists():
            restore_loop(loop, tmp_path / "checkpoint")
        run_until(loop, stop)
        save_loop(loop, tmp_path / "checkpoint")
        loop.keep_best()  # what the interrupted run does besides must not matter
    loop = fresh(optimizer=optimizer)
    restore_loop(loop, tmp_path / "checkpoint")
    loop.run(Watchers())
    assert same(loop.network.state_dict(), whole.network.state_dict())
    assert looks(loop) == looks(whole)
    assert (loop.state.update, loop.state.samples, loop.state.ended) == (60, whole.state.samples, "budget")
    mine, theirs = (one.step.optimizer.state_dict()["state"] for one in (loop, whole))
    assert all(same(mine[index], theirs[index]) for index in theirs)
    loop.keep_best(), whole.keep_best()
    assert same(loop.network.state_dict(), whole.network.state_dict())


@pytest.fixture
def checkpoint(tmp_path):
    save_loop(run_until(fresh(), 15), tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


@pytest.mark.parametrize("name", [STATE, TENSORS])
@pytest.mark.parametrize("place", [0.1, 0.5, 0.999])
def test_a_flipped_byte_is_an_error_by_name(checkpoint, name, place):
    raw = bytearray((checkpoint / name).read_bytes())
    raw[int(place * len(raw))] ^= 1
    (checkpoint / name).write_bytes(raw)
    with pytest.raises(SavedRunError, match=f"{name} is damaged: its contents are not what was saved"):
        restore_loop(fresh(), checkpoint)


@pytest.mark.parametrize("name", [STATE, TENSORS])
def test_a_cut_or_missing_file_is_an_error_by_name(checkpoint, name):
    (checkpoint / name).write_bytes((checkpoint / name).read_bytes()[:-20])
    with pytest.raises(SavedRunError, match=f"{name} is damaged"):
        restore_loop(fresh(), checkpoint)
    (checkpoint / name).unlink()
    with pytest.raises(SavedRunError, match=f"is incomplete: {name} is missing"):
        restore_loop(fresh(), checkpoint)


@pytest.mark.parametrize("text", ["{", "[]", "3", "null", '{"state.json": 5}'])
def test_a_manifest_that_is_none_is_an_error(checkpoint, text):
    (checkpoint / MANIFEST).write_text(text)
    with pytest.raises(SavedRunError, match=r"cannot be read|is incomplete|is damaged"):
        check_folder(checkpoint, (STATE, TENSORS))
    (checkpoint / MANIFEST).unlink()
    with pytest.raises(SavedRunError, match=r"holds no saved run \(no manifest.json\)"):
        check_folder(checkpoint, (STATE, TENSORS))


def test_a_pickle_is_never_read(tmp_path):
    """Even where the sums fit: only safetensors are read, and they hold no code."""

    class Rogue:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    (tmp_path / TENSORS).write_bytes(pickle.dumps(Rogue()))
    with pytest.raises(SavedRunError, match="is not a safetensors file"):
        read_tensors(tmp_path / TENSORS)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "settings, message",
    [({"updates": 80}, "updates = 60, this asks for 80"), ({"seed": 1}, "seed = 0, this asks for 1")],
)
def test_another_plan_does_not_go_on(checkpoint, settings, message):
    with pytest.raises(SavedRunError, match=message + ".*train anew"):
        restore_loop(fresh(**settings), checkpoint)


def test_other_data_does_not_go_on(checkpoint):
    data = small_dataset(TASK)
    data.target[data.split.train[0]] += 1
    with pytest.raises(SavedRunError, match="interrupted on other data, or on the same in another split"):
        restore_loop(fresh(data), checkpoint)


def test_the_fingerprint_is_of_everything_that_training_reads():
    found = {fingerprint(small_dataset(TASK)), fingerprint(small_dataset(TASK, seed=1))}
    found.add(fingerprint(small_dataset(TASK, weight=[1.0 + i % 2 for i in range(240)])))
    changed = small_dataset(TASK)
    changed.inputs["categories"][5, 0] += 1
    found.add(fingerprint(changed))
    assert len(found) == 4 and fingerprint(small_dataset(TASK)) in found


def test_another_network_does_not_go_on(checkpoint):
    other = fresh()
    other.network = torch.nn.Linear(2, 2)
    with pytest.raises(SavedRunError, match="belongs to another network"):
        restore_loop(other, checkpoint)


def test_a_write_replaces_the_whole_folder_but_for_what_is_not_its_own(tmp_path):
    folder = tmp_path / "run"
    write_folder(folder, {"a.json": "1"}, {"w": {"x": torch.ones(2)}})
    (folder / "notes.txt").write_text("mine")
    (folder / "checkpoint").mkdir()
    write_folder(folder, {"a.json": "2"}, {"w": {"x": torch.zeros(2)}}, drop=("checkpoint",))
    assert sorted(path.name for path in folder.iterdir()) == ["a.json", MANIFEST, "notes.txt", "w"]
    assert (folder / "a.json").read_text() == "2" and read_tensors(folder / "w")["x"].sum() == 0
    check_folder(folder, ("a.json", "w"))
    assert list(tmp_path.iterdir()) == [folder], "nothing is left beside it"


def test_a_write_that_fails_leaves_the_old_folder_whole(tmp_path, monkeypatch):
    folder = tmp_path / "run"
    write_folder(folder, {"a.json": "1"}, {})
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    for name in ("evenkeel.train.checkpoint.save_file", "evenkeel.train.checkpoint._flush"):
        with monkeypatch.context() as patch:
            patch.setattr(name, full)
            with pytest.raises(
                SavedRunError, match=r"could not write .*run: No space left on device; try another folder"
            ):
                write_folder(folder, {"a.json": "2"}, {"w": {"x": torch.ones(2)}})
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
        assert list(tmp_path.iterdir()) == [folder]


def test_the_last_rename_failing_puts_the_old_folder_back(tmp_path, monkeypatch):
    from evenkeel.train import checkpoint

    folder = tmp_path / "run"
    write_folder(folder, {"a.json": "1"}, {})
    real = checkpoint.os.replace

    def replace(source, goal):
        if str(source).endswith(".new"):
            raise OSError(13, "Permission denied")
        real(source, goal)

    monkeypatch.setattr(checkpoint.os, "replace", replace)
    with pytest.raises(SavedRunError, match="Permission denied"):
        write_folder(folder, {"a.json": "2"}, {})
    assert (folder / "a.json").read_text() == "1" and list(tmp_path.iterdir()) == [folder]


def test_a_place_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SavedRunError, match=r"could not write .*try another folder"):
        write_folder(tmp_path / "file" / "run", {"a.json": "1"}, {})


def test_a_checkpoint_moved_elsewhere_still_works(checkpoint, tmp_path):
    shutil.move(checkpoint, tmp_path / "moved")
    loop = fresh()
    restore_loop(loop, tmp_path / "moved")
    assert loop.state.update == 15 and json.loads((tmp_path / "moved" / STATE).read_text())["update"] == 15
