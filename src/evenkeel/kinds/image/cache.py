"""Cache of decoded images on disk, so that the next training on the same files does not decode them again.

One file for each set, named by a hash of what decides its content: path, time of change and size of every file, and the
form they were brought to. It is written under another name and renamed when it is whole, so that a second process sees
all of it or nothing; if a kept file is damaged, the images are decoded anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from evenkeel.kinds.image.files import Decoded, ImageForm

VERSION = 1  # of the decoded values; a new version does not read the sets of an old one
FEWEST_FILES = 500  # fewer are decoded as fast as they are read from the cache
MOST_KEPT = 8  # sets; the one that was not used for longest goes first
SUFFIX = ".safetensors"


def user_folder() -> Path:
    """Return the folder that the operating system reserves for caches: `$XDG_CACHE_HOME` or `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "evenkeel" / "images"


def cached(
    paths: Sequence[Path], form: ImageForm, folder: Path | None, decode: Callable[[Sequence[Path], ImageForm], Decoded]
) -> Decoded:
    """Read the result of `decode(paths, form)` from the folder, or decode and keep it there.

    A folder that cannot be written is no error: the images are then decoded each time. None: nothing is kept.
    """
    if folder is None or len(paths) < FEWEST_FILES:
        return decode(paths, form)
    kept = folder / f"{_key(paths, form)}{SUFFIX}"
    decoded = _read(kept, len(paths))
    if decoded is None:
        decoded = decode(paths, form)
        _write(kept, decoded)
    return decoded


def _key(paths: Sequence[Path], form: ImageForm) -> str:
    """Hash everything that decides the result."""
    brought_to = f"height={form.height}, width={form.width}, channels={form.channels}, aspect={form.aspect!r}"
    digest = hashlib.sha256(f"{VERSION} Form({brought_to})".encode())
    for path in paths:
        try:
            facts = path.stat()
            state = f"{facts.st_mtime_ns} {facts.st_size}"
        except OSError:
            state = "missing"
        digest.update(f"\n{path.resolve()} {state}".encode(errors="surrogateescape"))
    return digest.hexdigest()[:32]


def _read(path: Path, files: int) -> Decoded | None:
    """Read a kept set; None where there is none, or a damaged one."""
    try:
        with safe_open(path, framework="pt") as kept:
            pixels = kept.get_tensor("pixels")
            failures = {int(place): why for place, why in json.loads(kept.metadata()["failures"]).items()}
        os.utime(path)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return None
    rows = np.setdiff1d(np.arange(files), np.array(list(failures), dtype=np.int64))
    return Decoded(pixels=pixels, rows=rows, failures=failures) if len(rows) == len(pixels) else None


def _write(path: Path, decoded: Decoded) -> None:
    """Keep a set; where that is not possible, do without."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            whole = Path(folder) / path.name
            save_file({"pixels": decoded.pixels}, whole, metadata={"failures": json.dumps(decoded.failures)})
            whole.replace(path)
        kept = sorted(path.parent.glob(f"*{SUFFIX}"), key=lambda each: each.stat().st_mtime, reverse=True)
        for old in kept[MOST_KEPT:]:
            old.unlink(missing_ok=True)
    except (OSError, SafetensorError):
        return
