"""The command line as a person meets it: help pages, lists of parts, a run from training to use, and refusals."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from unittest import mock

from bench._unchanged import made
from bench._unchanged.clock import ticking
from bench._unchanged.facts import Items
from evenkeel.cli import main

COMMANDS = ("train", "predict", "evaluate", "generate", "report", "parts")
PARTS = ("losses", "heads", "nets", "metrics", "symptoms", "kinds", "samples", "settings")
COLUMNS = "100"  # of the terminal
TOOK = re.compile(r"(updates in) [\d.]+ s")
BRIEFLY = ("--quiet", "--set", "updates=40", "--set", "width=16", "--set", "members=2")


def said(*arguments: str) -> str:
    """What a command says on both streams, and its exit code."""
    stream = io.StringIO()
    code: object = 0
    with (
        mock.patch.object(sys, "argv", ["evenkeel", *arguments]),
        mock.patch.dict(os.environ, {"COLUMNS": COLUMNS}),
        contextlib.redirect_stdout(stream),
        contextlib.redirect_stderr(stream),
        ticking(),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code
    told = TOOK.sub(r"\1 (masked)", stream.getvalue())
    return f"{told}\nexit code {code}"


def helps() -> Items:
    """The help of the whole, also by `-h` and without any command, and that of each command."""
    found = {"help": said("--help"), "short-help": said("-h"), "no-command": said()}
    return found | {f"help-{name}": said(name, "--help") for name in COMMANDS}


def parts() -> Items:
    """What there is to choose from, of each kind and of all."""
    return {"parts": said("parts")} | {f"parts-{name}": said("parts", name) for name in PARTS}


def of_a_table() -> Items:
    """Train on a CSV, again on the same, predict, measure, report, and what a wrong request is told."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        made.table().drop("block", "count", "class", "wet", "cold").write_csv("houses.csv")
        made.table(12, seed=1).drop("block", "count", "class", "wet", "cold").write_csv("new.csv")
        train = ("train", "houses.csv", "--target", "height", *BRIEFLY)
        found = {
            "train": said(*train),
            "train-again": said(*train),
            "train-otherwise": said(*train, "--seed", "1"),
            "predict": said("predict", "houses-run", "new.csv"),
            "predict-to-file": said("predict", "houses-run", "new.csv", "--out", "out.csv"),
            "file": Path("out.csv").read_text(),
            "evaluate": said("evaluate", "houses-run", "new.csv"),
            "evaluate-json": said("evaluate", "houses-run", "new.csv", "--json"),
            "report": said("report", "houses-run", "--out", "page.html"),
            "generate": said("generate", "houses-run"),
        }
        return found | {f"wrong-{name}": said(*arguments) for name, arguments in WRONG.items()}


def of_a_text() -> Items:
    """Train on a text and continue it."""
    settings = ("--quiet", "--set", "updates=30", "--set", "width=32", "--set", "depth=1", "--set", "window=16")
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("cats.txt").write_text(made.LINES)
        return {
            "train": said("train", "cats.txt", *settings),
            "generate": said("generate", "cats-run", "--prompt", "the cat", "--length", "40", "--top-k", "5"),
            "generate-without-chance": said("generate", "cats-run", "--length", "40", "--temperature", "0"),
        }


WRONG: Mapping[str, tuple[str, ...]] = {
    "column": ("train", "houses.csv", "--target", "hight", "--out", "other-run"),
    "file": ("train", "nothing.csv", "--target", "height"),
    "setting": ("train", "houses.csv", "--target", "height", "--out", "other-run", "--set", "widht=3"),
    "task": ("train", "houses.csv", "--target", "height", "--out", "other-run", "--task", "regresion"),
    "loss": ("train", "houses.csv", "--target", "height", "--out", "other-run", "--loss", "focal"),
    "option": ("train", "houses.csv", "--tarjet", "height"),
    "command": ("trian",),
    "run": ("predict", "nothing-run", "new.csv"),
    "new-table": ("predict", "houses-run", "sample:wine"),
}
SESSIONS: Mapping[str, Callable[[], Items]] = {
    "help": helps,
    "parts": parts,
    "table": of_a_table,
    "text": of_a_text,
}
