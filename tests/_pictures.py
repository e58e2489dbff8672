"""Small pictures on disk: bright squares at one of a few places, so that classes can be told apart."""

import gzip
import struct

import numpy as np
from PIL import Image

NAMES = ("ash", "birch", "cedar")


def picture(kind, seed, side=10, channels=1):
    """(height, width[, channel]) uint8 with noise and a square whose place is the class."""
    generator = np.random.default_rng([kind, seed])
    values = generator.integers(0, 60, (side, side, channels), dtype=np.uint8)
    start = kind * side // 3
    values[start : start + side // 3, start : start + side // 3] = 230
    return values[..., 0] if channels == 1 else values


def write_classes(folder, each=12, *, side=10, channels=1, names=NAMES):
    """A folder for each class."""
    for kind, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for seed in range(each):
            Image.fromarray(picture(kind, seed, side, channels)).save(folder / name / f"{seed:03d}.png")
    return folder


def arrays(each=12, side=10):
    """The same as X (row, height, width) and y (row,) of names."""
    rows = [(kind, seed) for kind in range(len(NAMES)) for seed in range(each)]
    return np.stack([picture(*row, side) for row in rows]), np.array([NAMES[kind] for kind, _ in rows])


def write_idx(folder, part, images, labels, pack=gzip.compress, ending=".gz"):
    """A pair of IDX files as MNIST has them."""
    folder.mkdir(exist_ok=True)
    for what, values in (("images-idx3", images), ("labels-idx1", labels)):
        head = bytes([0, 0, 8, values.ndim]) + b"".join(struct.pack(">I", size) for size in values.shape)
        content = head + values.astype(np.uint8).tobytes()
        (folder / f"{part}-{what}-ubyte{ending}").write_bytes(pack(content))
    return folder
