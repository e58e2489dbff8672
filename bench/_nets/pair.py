"""Pairs and points: pictures with their captions, and characters recognised from one drawing of each."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from examples import emoji_pairs, one_shot

from bench._nets._set import Figures, NetSet

UPDATES = 500  # of pictures and captions
ONE_SHOT_UPDATES = 1500


def captions(folder: Path, seed: int) -> Figures:
    """Pictures of base names that did not train, each among the captions of all of these."""
    with tempfile.TemporaryDirectory() as place:
        table = emoji_pairs.unpack(folder / emoji_pairs.ARCHIVE, Path(place))
        return emoji_pairs.train(table, seed, UPDATES).metrics


def characters(folder: Path, seed: int) -> Figures:
    """The 20 given runs of 20 characters, after six alphabets; the example's own batches of one alphabet at a time."""
    torch.set_num_threads(1)
    place = folder / "omniglot"
    alphabets, runs = one_shot.read_alphabets(place), one_shot.read_runs(place)
    trained = [drawn for name, drawn in alphabets.items() if name not in one_shot.KEPT]
    network = one_shot.train(trained, "info_nce", ONE_SHOT_UPDATES, seed)
    return {
        "error": one_shot.error_on_runs(network, runs),
        "error of pixels": one_shot.error_on_runs(None, runs),
        "error on alphabets kept back": one_shot.error_on_alphabets(
            network, [alphabets[name] for name in one_shot.KEPT]
        ),
    }


SETS: tuple[NetSet, ...] = (
    NetSet(
        name="twemoji",
        metric="left_recall_at_10",
        better="higher",
        floor=10 / 282,
        floor_text="chance: 10 of 282 captions",
        wanted=None,
        published="none; examples/emoji_search.py, written out by hand: 23.8, 29.8 and 24.8 % with three splits",
        minutes=3.0,
        run=captions,
        protocol="base names held out whole; of each of 282, one picture looks for its caption among theirs",
    ),
    NetSet(
        name="omniglot one-shot",
        metric="error",
        better="lower",
        floor=0.78,
        floor_text="nearest neighbour of pixels",
        wanted=0.25,
        published="modified Hausdorff distance 38.8 %, people 4.5 % (Lake et al. 2015, doi:10.1126/science.aab3050)",
        minutes=3.0,
        run=characters,
        protocol="the 20 given runs of 20 characters, each seen once; training on the small background sets",
    ),
)
