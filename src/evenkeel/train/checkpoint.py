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

from evenkeel.errors import SavedRunError
from evenkeel.shapes import Tensor
from evenkeel.train.loop import Look, Loop, LoopState

MANIFEST = "manifest.json"
STATE, TENSORS = "state.json", "state.safetensors"


def write_folder(folder: Path, texts: Mapping[str, str], tensors: Mapping[str, Mapping[str, Tensor]]) -> None:
    """Write all files beside `folder`, then put them in its place.

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
        if folder.exists():
            os.replace(folder, old)
        os.replace(beside, folder)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as problem:
        if old.exists() and not folder.exists():
            os.replace(old, folder)
        shutil.rmtree(beside, ignore_errors=True)
        raise SavedRunError(f"could not write {folder}: {problem.strerror or problem}; try another folder") from problem


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
    """Every named file must be there with the sum that the manifest gives.

    Raises:
        SavedRunError: no such folder, no manifest, a file missing or damaged.
    """
    if not (folder / MANIFEST).is_file():
        raise SavedRunError(f"{folder} holds no saved run (no {MANIFEST}); expected a folder that evenkeel saved")
    try:
        sums = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as problem:
        raise SavedRunError(f"{folder / MANIFEST} cannot be read: {problem}") from problem
    for name in names:
        if name not in sums or not (folder / name).is_file():
            raise SavedRunError(f"{folder} is incomplete: {name} is missing; save the run again")
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
    """Everything a later call needs to go on where this one stopped."""
    tensors = {f"weights.{name}": value for name, value in loop.network.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in loop.best.items()}
    tensors["random"] = loop.random
    for index, state in loop.step.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in state.items()}
    record = {**asdict(loop.state), "looks": [look.model_dump() for look in loop.state.looks]}
    write_folder(folder, {STATE: json.dumps(record)}, {TENSORS: tensors})


def restore_loop(loop: Loop, folder: Path) -> None:
    """Put a loop where the saved one stopped.

    Raises:
        SavedRunError: the checkpoint is damaged or belongs to another network.
    """
    check_folder(folder, (STATE, TENSORS))
    tensors = read_tensors(folder / TENSORS)
    record = json.loads((folder / STATE).read_text())
    looks = [Look(**look) for look in record.pop("looks")]
    loop.state = LoopState(**{**record, "looks": looks, "ended": ""})
    parts: dict[str, dict[str, Tensor]] = {"weights": {}, "best": {}, "optimizer": {}}
    for key, value in tensors.items():
        if key != "random":
            part, _, name = key.partition(".")
            parts[part][name] = value
    try:
        loop.network.load_state_dict(parts["weights"])
    except RuntimeError as problem:
        raise SavedRunError(f"{folder} belongs to another network; train anew with --fresh") from problem
    loop.best = {name: value.to(loop.device) for name, value in parts["best"].items()}
    loop.random = tensors["random"]
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in parts["optimizer"].items():
        index, _, field = name.partition(".")
        moments.setdefault(int(index), {})[field] = value
    groups = loop.step.optimizer.state_dict()["param_groups"]
    loop.step.optimizer.load_state_dict({"state": moments, "param_groups": groups})
