"""Reader of IDX files, the format of MNIST: a header with type and sizes, then the numbers; plain or gzipped.

    0 0 type axes | size of each axis, 4 bytes each | values        all big-endian; type 8 is uint8

Images and labels are two files side by side: `train-images-idx3-ubyte.gz` and `train-labels-idx1-ubyte.gz`.
Source: LeCun, Cortes and Burges, the MNIST database, section "file formats"
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from pathlib import Path

import numpy as np

from evenkeel.errors import DataError

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
ENDING = re.compile(r"[.-]idx\d?(-ubyte)?(\.gz)?$")
IMAGES, LABELS = re.compile(r"images([.-])idx3"), r"labels\1idx1"


def is_idx(path: Path) -> bool:
    """Whether a file's name ends as those of IDX files do.

    Example:
        >>> [is_idx(Path(name)) for name in ("t10k-images-idx3-ubyte.gz", "digits.idx", "digits.csv")]
        [True, True, False]
    """
    return ENDING.search(path.name.lower()) is not None


def read_idx(path: Path) -> np.ndarray:
    """Read the array of an IDX file, in the machine's own byte order.

    Raises:
        DataError: no such file, another format, or fewer or more values than the header states.
    """
    if not path.is_file():
        raise DataError(f"no such file: {path}")
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (OSError, EOFError, zlib.error) as problem:
        raise DataError(f"{path} cannot be read: {problem}; bring it again from its source") from problem
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in TYPES:
        raise DataError(f"{path} does not begin as an IDX file does (0 0 type axes), but with {content[:4].hex(' ')!r}")
    axes = content[3]
    start = 4 + 4 * axes
    if len(content) < start:
        raise DataError(f"{path} ends within its header; it is cut off or damaged")
    shape = tuple(int(size) for size in np.frombuffer(content[4:start], ">u4"))
    kind = np.dtype(TYPES[content[2]])
    if len(content) - start != math.prod(shape) * kind.itemsize:
        raise DataError(
            f"{path} should hold {math.prod(shape)} values by its header, shape {shape}, and holds "
            f"{(len(content) - start) // kind.itemsize}; it is cut off or damaged"
        )
    return np.frombuffer(content, kind, offset=start).reshape(shape).astype(kind.newbyteorder("="))


def labels_beside(images: Path) -> Path | None:
    """Find the file of labels of a file of images, gzipped or not; None where there is none."""
    name = IMAGES.sub(LABELS, images.name)
    if name == images.name:
        return None
    plain = name.removesuffix(".gz")
    candidates = [images.with_name(each) for each in (name, plain, f"{plain}.gz")]
    return next((path for path in candidates if path.is_file()), None)


def labels_expected(images: Path) -> str:
    """Return the name that a file of labels beside these images should have.

    Example:
        >>> labels_expected(Path("train-images-idx3-ubyte.gz"))
        'train-labels-idx1-ubyte, gzipped or not'
    """
    name = IMAGES.sub(LABELS, images.name)
    expected = name if name != images.name else "X-labels-idx1-ubyte beside X-images-idx3-ubyte"
    return f"{expected.removesuffix('.gz')}, gzipped or not"


def images_in(folder: Path) -> Path | None:
    """Find the images to learn from in a folder of IDX files: those called `train`, or the only ones with labels.

    Where there are no labels at all, the images alone.

    Raises:
        DataError: several files of images, and none is called `train`.
    """
    there = sorted(path for path in folder.iterdir() if is_idx(path) and IMAGES.search(path.name))
    files = [path for path in there if labels_beside(path) is not None] or there
    named = [path for path in files if "train" in path.name]
    # The same images gzipped and not are one set.
    chosen = {path.name.removesuffix(".gz"): path for path in named or files}
    if len(chosen) > 1:
        raise DataError(f"{folder} holds several sets of images: {', '.join(chosen)}; give the path of one of them")
    return next(iter(chosen.values()), None)
