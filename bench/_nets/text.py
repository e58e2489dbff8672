"""Texts: classes, numbers of pairs, and one text that is continued; each by the protocol of the published results."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
import polars as pl

import evenkeel as ek
from bench._nets._set import Figures, NetSet

FOLDS = 10
HELD = 0.1  # of the text that is continued, at its end
SECONDS = 600.0  # of training on it
PARTS = {"train": "train", "dev": "validation", "test": "test"}


def read_classes(path: Path, encoding: str = "utf-8") -> tuple[list[str], list[int]]:
    """Lines of a class and a text."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    lines = [line.split(" ", 1) for line in content.decode(encoding).split("\n") if line.strip()]
    return [text for _, text in lines], [int(name) for name, _ in lines]


def treebank(name: str, kind: str, folder: Path, seed: int) -> Figures:
    """Sentences alone, without their phrases; the given parts."""
    found = {part: read_classes(folder / name / f"stsa.{kind}.{part}") for part in PARTS}
    texts = [text for part in found.values() for text in part[0]]
    answers = [answer for part in found.values() for answer in part[1]]
    words = [PARTS[part] for part, (some, _) in found.items() for _ in some]
    return with_rivals(ek.fit((texts, answers), split=words, seed=seed, progress=False))


def reviews(folder: Path, seed: int) -> Figures:
    """One fold of ten; each seed holds out another."""
    texts, answers = read_classes(folder / "mr" / "rt-polarity.all.gz", "latin-1")
    held = np.array_split(np.random.default_rng(0).permutation(len(texts)), FOLDS)[seed % FOLDS]
    words = np.full(len(texts), "train", dtype=object)
    words[held] = "test"
    return with_rivals(ek.fit((texts, answers), split=words.tolist(), validation=0.1, seed=seed, progress=False))


def with_rivals(run: ek.Run) -> Figures:
    """Our metrics, and the accuracy of the plain models on the same rows."""
    theirs = {name: scores["accuracy"] for name, scores in run.record.baselines.items() if "accuracy" in scores}
    return {**run.metrics, **theirs}


def pairs(folder: Path, seed: int) -> Figures:
    """How much two sentences mean the same, 0 to 5; rank correlation on the given test file."""
    from scipy.stats import spearmanr

    names = ["left", "right", "score"]
    files = {part: folder / "stsb-en" / f"stsb-en-{part}.csv" for part in PARTS}
    found = {part: pl.read_csv(path, has_header=False, new_columns=names) for part, path in files.items()}
    words = [PARTS[part] for part, frame in found.items() for _ in range(frame.height)]
    settings = {"text": "left,right"}
    whole = pl.concat(list(found.values()))
    run = ek.fit(whole, target="score", kind="text", split=words, seed=seed, progress=False, settings=settings)
    ranks = {part: spearmanr(run.predict(found[part]), found[part]["score"]).statistic for part in ("dev", "test")}
    return {**run.metrics, "spearman": float(ranks["test"]), "dev_spearman": float(ranks["dev"])}


def characters(folder: Path, seed: int) -> Figures:
    """The next character of the last tenth, in nats; the network sees nothing of it before."""
    text = (folder / "tinyshakespeare" / "input.txt").read_text()
    cut = len(text) - round(HELD * len(text))
    options = {"kind": "text", "validation": 0.02, "test": 0, "time_limit": SECONDS}
    run = ek.fit(text[:cut], seed=seed, progress=False, **options)
    found = run.evaluate(text[cut:])
    return {**found, "nats": math.log(found["perplexity"]), "updates": float(run.history[-1].update)}


SETS: tuple[NetSet, ...] = (
    NetSet(
        name="sst2",
        metric="accuracy",
        better="higher",
        floor=0.825,
        floor_text="naive Bayes of words and pairs",
        wanted=0.825,
        published="with phrases too: CNN from scratch .827, CNN on word2vec .872",
        minutes=0.5,
        run=lambda folder, seed: treebank("sst2", "binary", folder, seed),
        protocol="given parts, 6920 / 872 / 1821 sentences, no phrases",
    ),
    NetSet(
        name="sst5",
        metric="accuracy",
        better="higher",
        floor=0.396,
        floor_text="naive Bayes of words and pairs",
        wanted=None,
        published="with phrases too: CNN from scratch .450, CNN on word2vec .480",
        minutes=0.5,
        run=lambda folder, seed: treebank("sst5", "fine", folder, seed),
        protocol="given parts, 8544 / 1101 / 2210 sentences of five classes, no phrases",
    ),
    NetSet(
        name="mr",
        metric="accuracy",
        better="higher",
        floor=0.787,
        floor_text="naive Bayes of words and pairs, one fold",
        wanted=0.787,
        published="ten folds: CNN from scratch .761, CNN on word2vec .815",
        minutes=0.5,
        run=reviews,
        protocol="one fold of ten a seed, 10 662 sentences",
    ),
    NetSet(
        name="stsb-en",
        metric="spearman",
        better="higher",
        floor=0.682,
        floor_text="cosine of tf-idf",
        wanted=0.682,
        published="mean of GloVe .580, InferSent .680, sentence encoder .749",
        minutes=0.5,
        run=pairs,
        protocol="given parts, 5749 / 1500 / 1379 pairs",
    ),
    NetSet(
        name="tinyshakespeare",
        metric="nats",
        better="lower",
        floor=2.049,
        floor_text="counts of three characters",
        wanted=1.75,
        published="10.7 million weights on a GPU 1.47; 4 layers of 128 on a CPU 1.88",
        minutes=12.0,
        run=characters,
        protocol=f"the last tenth of the characters, {SECONDS:g} s of training",
    ),
)
