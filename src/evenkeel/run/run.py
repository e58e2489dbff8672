"""A run: a trained network with everything needed to use it, judge it, save it, and explain it.

New data are encoded by the schema of the training rows; predictions come back in the target's own units and words.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError
from torch import nn

from evenkeel.data.fields import all_rows
from evenkeel.errors import RequestError, SavedRunError
from evenkeel.finding import Finding
from evenkeel.heads import HeadPart
from evenkeel.heads.base import no_distribution
from evenkeel.heads.predictive import Predictive
from evenkeel.kinds import Kind
from evenkeel.kinds.base import Encoded
from evenkeel.kinds.latent_head import check_writes, latent_of
from evenkeel.network import Network, assemble, load_weights, weights_of
from evenkeel.plan import Plan
from evenkeel.record import RunRecord
from evenkeel.report import render
from evenkeel.shapes import Shaped, Tensor
from evenkeel.train.checkpoint import check_folder, read_tensors, write_folder
from evenkeel.train.evaluate import features, outputs
from evenkeel.train.loop import Look
from evenkeel.train.scores import scores
from evenkeel.train.signals import EXIT_CODES

RECORD, WEIGHTS, SAMPLE, REPORT = "run.json", "weights.safetensors", "sample.safetensors", "report.html"
CHECKPOINT = "checkpoint"  # folder beside these that an interrupted run leaves


class Run:
    """What `fit` and `load` give back.

    Args:
        record: everything besides weights.
        network: net and head, in evaluation mode.
        sample: `output` and `target` of some test rows, for the report.
    """

    def __init__(self, record: RunRecord, network: Network, sample: dict[str, Tensor]) -> None:
        self.record, self.network, self.sample = record, network.eval(), sample

    def __repr__(self) -> str:
        figures = ", ".join(f"{name} {value:.4g}" for name, value in list(self.record.metrics.items())[:3])
        return f"Run({self.plan.task} of {self.record.target.name!r}: {figures or 'no test rows'})"

    @property
    def plan(self) -> Plan:
        """The recipe."""
        return self.record.plan

    @property
    def part(self) -> HeadPart:
        """The record of the head."""
        return self.record.head

    @property
    def kind(self) -> Kind:
        """The record of the kind of data."""
        return self.record.kind

    @property
    def history(self) -> tuple[Look, ...]:
        """The looks taken during training, first to last."""
        return self.record.looks

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the training itself showed: steps that were not finite, nothing learned, overfitting."""
        return self.record.findings

    @property
    def metrics(self) -> dict[str, float]:
        """Metrics on the test rows; empty where none were held out."""
        return dict(self.record.metrics)

    def predict(self, new: Any) -> np.ndarray:
        """Predictions for new rows: (row,) numbers in the target's units or classes, or (row, label) Booleans.

        Raises:
            DataError: a column that training used is missing or of another kind.
        """
        output, head = self._output(new), self.network.head
        decoded = head.decoded(output)
        if decoded is not None:
            return self.kind.restore(self.record.schema_, decoded).numpy()
        return head.answer(output, self.record.target)

    def predict_proba(self, new: Any) -> np.ndarray:
        """Probability of each class or label, (row, class), in the order of `run.classes`.

        Raises:
            RequestError: the target is a number.
        """
        probability = self.network.head.probability(self._output(new))
        if probability is None:
            raise RequestError(f"{self.plan.task} predicts numbers, not classes; try predict_distribution")
        return probability.double().numpy()

    @property
    def classes(self) -> tuple[object, ...]:
        """The classes or labels, in the order of the columns of `predict_proba`."""
        return self.record.target.levels

    def predict_distribution(self, new: Any) -> Predictive:
        """The predictive distribution of each row, or (step, series), in the target's units.

        Raises:
            RequestError: the task predicts no distribution.
        """
        distribution = self.network.head.answer_distribution(self._output(new))
        if distribution is None:
            raise no_distribution(self.plan.task)
        return distribution

    def embed(self, new: Any) -> np.ndarray:
        """Features before the head, (row, unit); of an ensemble all members' side by side.

        Of the task `embedding` the points themselves; of pairs those of both sides, (row, 2, unit), or of the one side
        that is given, (row, unit).
        """
        if self.network.head.embeds == "output":
            return self._output(new).numpy()
        each = features(self.network, self.read(new).inputs)
        joined = each if each.dim() == 2 else each.transpose(0, 1).reshape(each.shape[1], -1)
        return joined.numpy()

    def generate(
        self,
        prompt: str,
        length: int = 200,
        temperature: float | int = 0.8,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int = 0,
        *,
        stream: Callable[[str], object] | None = None,
    ) -> str:
        """Text that continues a prompt, without the prompt.

        Args:
            prompt: what comes before; may be empty.
            length: tokens to draw.
            temperature: below 1 favours what is likely, 0 takes the most probable token each time.
            top_k: draw among so many most probable tokens only.
            top_p: draw among the most probable tokens that together have this probability.
            seed: the same seed gives the same text.
            stream: called with each piece as soon as it is drawn.

        Raises:
            RequestError: the run was not trained to continue texts, or an option makes no sense.
        """
        check_writes(self.network.head, length)
        generator = torch.Generator(next(self.network.parameters()).device).manual_seed(seed)
        options = {"length": length, "temperature": temperature, "top_k": top_k, "top_p": top_p}
        schema = self.record.schema_
        return self.kind.generate(self.network, schema, prompt, **options, generator=generator, on_piece=stream)

    def draw(self, count: int = 1, *, seed: int = 0) -> np.ndarray:
        """New examples from a latent head, (count, ...), as the data hold them.

        Raises:
            RequestError: the run has no latent head.
        """
        drawn = latent_of(self.network.head).sample(count, generator=torch.Generator().manual_seed(seed))
        return self.kind.restore(self.record.schema_, drawn).numpy()

    def encode(self, new: Any) -> np.ndarray:
        """The mean code of each example, (row, unit of the code); a RequestError without a latent head."""
        return latent_of(self.network.head).code(self._output(new))[0].numpy()

    def interpolate(self, left: Any, right: Any, steps: int = 8) -> np.ndarray:
        """What lies in the latent space between the first examples of two data, both ends included, (steps, ...).

        Raises:
            RequestError: the run has no latent head.
        """
        head = latent_of(self.network.head)
        start, end = (torch.from_numpy(self.encode(data))[0] for data in (left, right))
        return self.kind.restore(self.record.schema_, head.interpolate(start, end, steps=steps)).numpy()

    def evaluate(self, new: Any) -> dict[str, float]:
        """The metrics of the task on new examples with known target: as for `fit`, a path, a frame, or arrays (X, y).

        Raises:
            DataError: the target is missing, or no row has a value of it.
        """
        new = self.kind.answers(self.record.schema_, self.record.target, new)
        truth = all_rows(new.target)
        return scores(self.part, self.network.head, outputs(self.network, new.inputs), truth)

    def save(self, folder: str | Path) -> Path:
        """Write the run to a folder, whole or not at all: safetensors, JSON, and the report. Other files there stay.

        Raises:
            SavedRunError: the folder holds something that is not a run, or cannot be written.
        """
        check_replaceable(Path(folder))
        texts = {RECORD: self.record.model_dump_json(indent=1), REPORT: self.report_text()}
        weights = weights_of(self.network)
        # Only an interrupted run still needs the checkpoint that lies beside it.
        drop = () if self.record.ended in EXIT_CODES else (CHECKPOINT,)
        write_folder(Path(folder).resolve(), texts, {WEIGHTS: weights, SAMPLE: self.sample}, drop=drop)
        return Path(folder)

    def report(self, path: str | Path = "report.html") -> Path:
        """Write the report: one HTML file that needs no network and no scripts."""
        path = Path(path)
        try:
            path.write_text(self.report_text())
        except OSError as problem:
            raise RequestError(f"could not write {path}: {problem.strerror}; try another path") from problem
        return path

    def report_text(self) -> str:
        """The report as HTML."""
        return render(self.record, self.network, self.sample)

    def read(self, new: Any) -> Encoded:
        """New examples, encoded: what every way to predict takes as well, where one reading is to serve several."""
        return new if isinstance(new, Encoded) else self.kind.encode(self.record.schema_, new)

    def _output(self, new: Any) -> Shaped[Tensor, "..."]:
        return outputs(self.network, self.read(new).inputs)


def check_replaceable(folder: Path) -> None:
    """A run may replace a run or an empty folder, never a folder with something else in it.

    Raises:
        SavedRunError: the folder holds other files, or is a file.
    """
    if folder.is_file():
        raise SavedRunError(f"{folder} is a file; expected the name of a folder for the run")
    if folder.is_dir() and any(folder.iterdir()) and not any((folder / name).exists() for name in (RECORD, CHECKPOINT)):
        raise SavedRunError(f"{folder} exists and holds something that is not a run; choose another folder")


def load(folder: str | Path, *, net: nn.Module | None = None) -> Run:
    """Read a saved run.

    Args:
        folder: where it was saved.
        net: the module it was trained with, if that was not one of ours: code is never read from a file. A copy gets
            the weights. (A loss of your own is not saved either; predictions and metrics do not need it.)

    Raises:
        SavedRunError: not a run, damaged, made by a newer version, or of a module that is missing in the call.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise SavedRunError(f"there is no folder {folder}; expected one that run.save or `evenkeel train --out` made")
    check_folder(folder, (RECORD, WEIGHTS, SAMPLE))
    try:
        record = RunRecord.model_validate(json.loads((folder / RECORD).read_text()))
    except (ValidationError, ValueError) as problem:
        raise SavedRunError(f"{folder / RECORD} is not a record this version can read: {problem}") from problem
    if record.net == "given" and net is None:
        raise SavedRunError(
            f"{folder} was trained with a net of your own ({record.net_text}); pass it: load(..., net=...)"
        )
    network = assemble(record.plan, record.schema_, record.target, record.shape, net=copy.deepcopy(net))
    try:
        load_weights(network, read_tensors(folder / WEIGHTS))
    except RuntimeError as problem:
        raise SavedRunError(f"the weights in {folder} do not fit the network: {problem}") from problem
    return Run(record, network, read_tensors(folder / SAMPLE))
