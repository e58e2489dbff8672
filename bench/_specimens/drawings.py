"""Omniglot: drawings of characters, read from the zip files without an image library."""

from __future__ import annotations

import struct
import zipfile
import zlib
from functools import cache
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bench._specimens.tables import data_folder

SIDE = 28
"""Pixels a side after shrinking."""
DRAWERS = 20


def one_bit_png(data: bytes) -> np.ndarray:
    """The pixels (row, column) of a one-bit grey PNG, 1 white."""
    place, packed, width, height = 8, b"", 0, 0
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        body = data[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            assert (depth, colour) == (1, 0), "a one-bit grey image was expected"
        packed += body if kind == b"IDAT" else b""
        place += 12 + length
    return np.unpackbits(_unfiltered(zlib.decompress(packed), height, (width + 7) // 8), axis=1)[:, :width]


def _unfiltered(raw: bytes, height: int, row_bytes: int) -> np.ndarray:
    """Undo PNG's row filters: each byte is a difference from what its left and upper neighbours predict."""
    rows = np.frombuffer(raw, np.uint8).reshape(height, row_bytes + 1)
    found = np.zeros((height + 1, row_bytes + 1), np.uint8)  # a zero row above, a zero byte to the left
    for y in range(height):
        kind = rows[y, 0]
        for x in range(row_bytes) if kind else ():
            left, up, corner = (int(v) for v in (found[y + 1, x], found[y, x + 1], found[y, x]))
            found[y + 1, x + 1] = (int(rows[y, x + 1]) + _predicted(int(kind), left, up, corner)) % 256
        if not kind:
            found[y + 1, 1:] = rows[y, 1:]
    return found[1:, 1:]


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 4:  # Paeth: the neighbour nearest to left + up - corner
        guess = left + up - corner
        return min((left, up, corner), key=lambda value: abs(guess - value))
    return {1: left, 2: up, 3: (left + up) // 2}[kind]


@cache
def drawings(part: Literal["train", "held out"]) -> Tensor:
    """Ink in [0, 1] (character, drawer, 1, 28, 28) of five alphabets; the held-out ones are other alphabets."""
    name = "images_background_small1.zip" if part == "train" else "images_background_small2.zip"
    with zipfile.ZipFile(data_folder() / "omniglot" / name) as file:
        names = sorted(name for name in file.namelist() if name.endswith(".png"))
        names = names if part == "train" else names[: 100 * DRAWERS]
        images = np.stack([one_bit_png(file.read(name)) for name in names])
    ink = 1 - torch.from_numpy(images).float()[:, None]
    return functional.adaptive_avg_pool2d(ink, SIDE).view(-1, DRAWERS, 1, SIDE, SIDE)
