"""Weights and loop state on disk: safetensors and JSON, a manifest of SHA-256 sums last, then one rename.

A folder is either the old one or the new one, never half of each; a file whose sum does not fit is an error by name.
Nothing that could run code is ever read.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import kept
from evenkeel.errors import SavedRunError
from evenkeel.shapes import Tensor
from evenkeel.train.loop import Look, Loop, LoopState
from evenkeel.train.step import StepResult

MANIFEST = "manifest.json"
STATE, TENSORS = "state.json", "state.safetensors"
ANEW = "repeat the interrupted command to go on, or train anew (--fresh, resume='never')"


def write_folder(
    folder: Path,
    texts: Mapping[str, str],
    tensors: Mapping[str, Mapping[str, Tensor]],
    *,
    drop: tuple[str, ...] = (),
) -> None:
    """Write all files beside `folder`, then put them in its place; what else was there stays, save what is in `drop`.

    Raises:
        SavedRunError: the place cannot be written; what was there stays as it was.
    """
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        for name, text in texts.items():
            (beside / name).write_text(text)
        for name, group in tensors.items():
            save_file({key: value.detach().cpu().contiguous().clone() for key, value in group.items()}, beside / name)
        names = [*texts, *tensors]
        (beside / MANIFEST).write_text(json.dumps({name: _sum(beside / name) for name in names}, indent=1))
        for name in [*names, MANIFEST]:
            _flush(beside / name)
        _exchange(beside, folder, old, drop)
    except OSError as problem:
        raise SavedRunError(f"could not write {folder}: {problem.strerror or problem}; try another folder") from problem
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _exchange(beside: Path, folder: Path, old: Path, drop: tuple[str, ...]) -> None:
    """Put the new folder in the place of the old one; files that are not of the run move over."""
    if folder.exists():
        os.replace(folder, old)
    try:
        os.replace(beside, folder)
    except OSError:
        if old.exists():
            os.replace(old, folder)
        raise
    for entry in old.iterdir() if old.exists() else ():
        if entry.name not in drop and not (folder / entry.name).exists():
            os.replace(entry, folder / entry.name)
    shutil.rmtree(old, ignore_errors=True)


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _flush(path: Path) -> None:
    """Have the operating system put the file on disk before anything points to it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_folder(folder: Path, names: tuple[str, ...]) -> None:
    """Refuse a folder unless every named file is there with the sum in the manifest.

    Raises:
        SavedRunError: no such folder, no manifest, a file missing, damaged, or a link to elsewhere.
    """
    if not (folder / MANIFEST).is_file():
        raise SavedRunError(f"{folder} holds no saved run (no {MANIFEST}); expected a folder that evenkeel saved")
    try:
        sums = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as problem:
        raise SavedRunError(f"{folder / MANIFEST} cannot be read: {problem}") from problem
    for name in names:
        if not isinstance(sums, dict) or name not in sums or not (folder / name).is_file():
            raise SavedRunError(f"{folder} is incomplete: {name} is missing; save the run again")
        if (folder / name).resolve().parent != folder.resolve():
            raise SavedRunError(f"{folder / name} is a link that leaves the folder; nothing outside it is read")
        if _sum(folder / name) != sums[name]:
            raise SavedRunError(f"{folder / name} is damaged: its contents are not what was saved")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Raises:
        SavedRunError: it is something else.
    """
    try:
        return load_file(path)
    except (SafetensorError, OSError) as problem:
        raise SavedRunError(f"{path} is not a safetensors file: {problem}") from problem


def save_loop(loop: Loop, folder: Path) -> None:
    """Save what a later call needs to go on where this one stopped."""
    tensors = {f"weights.{name}": value for name, value in loop.network.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in loop.best.items()}
    tensors["random"] = loop.random
    if loop.recent:
        tensors["recent"] = torch.stack([step.row() for step in loop.recent])
    for index, state in loop.step.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in state.items()}
    record = {**asdict(loop.state), "looks": [look.model_dump() for look in loop.state.looks]}
    record |= {"plan": loop.plan.model_dump(mode="json"), "data": fingerprint(loop.data)}
    write_folder(folder, {STATE: json.dumps(record)}, {TENSORS: tensors})


def restore_loop(loop: Loop, folder: Path) -> None:
    """Put a loop where the saved one stopped.

    Raises:
        SavedRunError: the checkpoint is damaged, or of other data, another plan or another network.
    """
    check_folder(folder, (STATE, TENSORS))
    tensors = read_tensors(folder / TENSORS)
    record = json.loads((folder / STATE).read_text())
    _require_same(loop, folder, record.pop("plan", {}), record.pop("data", ""))
    looks = [Look(**look) for look in record.pop("looks")]
    loop.state = LoopState(**{**record, "looks": looks, "ended": ""})
    loop.step.count = loop.state.update
    parts: dict[str, dict[str, Tensor]] = {"weights": {}, "best": {}, "optimizer": {}}
    for key, value in tensors.items():
        if key not in ("random", "recent"):
            part, _, name = key.partition(".")
            parts[part][name] = value
    try:
        loop.network.load_state_dict(parts["weights"])
    except RuntimeError as problem:
        raise SavedRunError(f"{folder} belongs to another network; {ANEW}") from problem
    loop.best = {name: value.to(loop.device) for name, value in parts["best"].items()}
    loop.random = tensors["random"]
    loop.recent = [StepResult.of_row(row) for row in tensors.get("recent", torch.empty(0, 5)).to(loop.device)]
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in parts["optimizer"].items():
        index, _, field = name.partition(".")
        moments.setdefault(int(index), {})[field] = value
    groups = loop.step.optimizer.state_dict()["param_groups"]
    loop.step.optimizer.load_state_dict({"state": moments, "param_groups": groups})


def _require_same(loop: Loop, folder: Path, plan: Mapping[str, object], data: str) -> None:
    """A checkpoint goes on with the plan and the data it was made with, or not at all."""
    present = loop.plan.model_dump(mode="json")
    for name in {**present, **plan}:
        was, now = plan.get(name), present.get(name)
        if was != now:
            raise SavedRunError(f"{folder} was interrupted with {name} = {was!r}, this asks for {now!r}; {ANEW}")
    if data != fingerprint(loop.data):
        raise SavedRunError(f"{folder} was interrupted on other data, or on the same in another split; {ANEW}")


def fingerprint(data: Dataset) -> str:
    """One SHA-256 sum over everything that training reads: inputs, target, weights, and which rows train and decide."""
    digest = hashlib.sha256()
    for name in sorted(data.inputs):
        digest.update(name.encode())
        for tensor in kept(data.inputs[name]):
            digest.update(tensor.cpu().contiguous().numpy().data)  # read in place: no second copy
    for tensor in (*kept(data.target), data.weight):
        digest.update(b"none" if tensor is None else tensor.cpu().contiguous().numpy().tobytes())
    for rows in (data.split.train, data.split.validation):
        digest.update(rows.tobytes() + b"|")
    return digest.hexdigest()
