"""Everything that a run tells, fresh from training and read back from a folder that was written before.

What may differ between two trainings is masked: the date, the versions of what computed, and seconds.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from safetensors.torch import load_file

import evenkeel as ek
from bench._unchanged.clock import ticking
from bench._unchanged.facts import Items, array, attempt, findings, lines, weights
from bench._unchanged.runs import Training

Purpose = Literal["write", "compare"]
MASKED = ("created", "version", "engine", "seconds")
TOOK = re.compile(r"(updates?) in \d[\d. hmins]*\.")


def items_of_run(training: Training, kept: Path, purpose: Purpose) -> Items:
    """Train, and use both the new run and the one in the folder `kept`, which is saved there only when writing."""
    own = {} if training.net is None else {"net": training.net()}
    with ticking():
        run = ek.fit(training.data, progress=False, **own, **training.options)
    if purpose == "write":
        run.save(kept)
    loaded = attempt(ek.load, kept, **own)
    with tempfile.TemporaryDirectory() as folder:
        files = saved(run.save(Path(folder) / "run"))
    if isinstance(loaded, str):  # the fresh run still has something to tell
        return {"history": history(run), **used(run, training), **files, "kept-run": loaded}
    again = {f"kept-{name}": text for name, text in used(loaded, training).items()}
    return {"history": history(run), **used(run, training), **files, **again}


def used(run: ek.Run, training: Training) -> Items:
    """Weights, metrics, findings, predictions in every way there is, and the report."""
    return {
        "weights": weights(run.network.state_dict()),
        "metrics": metrics(run, training.known),
        "findings": findings(run.findings),
        "predictions": predictions(run, training),
        "report": report(run),
    }


def metrics(run: ek.Run, known: Any) -> str:
    """Those of the test rows, of the plain models beside, and of known examples, and how the run calls itself."""
    found = {"run": repr(run), "test": run.metrics, "verdict": run.record.verdict}
    beside = {f"beside, {name}": theirs for name, theirs in run.record.baselines.items()}
    return lines({**found, **beside, "evaluate": attempt(run.evaluate, known)})


def history(run: ek.Run) -> str:
    """Each look of the training, without the seconds."""
    names = ("update", "samples", "rate", "train_loss", "gradient_norm", "validation_loss", "skipped")
    return "\n".join(lines({name: getattr(look, name) for name in names}) for look in run.history)


def predictions(run: ek.Run, training: Training) -> str:
    """The answer of every method, or in which words it declines."""
    new = training.new
    calls: Mapping[str, tuple[Any, ...]] = {
        "predict": (run.predict, new),
        "predict_proba": (run.predict_proba, new),
        "interval": (lambda data: run.predict_distribution(data).interval(0.9), new),
        "distribution": (lambda data: described(run.predict_distribution(data)), new),
        "embed": (run.embed, new),
        "encode": (run.encode, new),
        "generate": (lambda prompt: run.generate(prompt, length=40, temperature=0.7, top_k=8, seed=1), "the cat"),
        "draw": (run.draw, 3),
        "interpolate": (lambda data: run.interpolate(data, training.far, 4), new),
    }
    return lines({"classes": run.classes} | {name: attempt(call, given) for name, (call, given) in calls.items()})


def described(found: Any) -> tuple[Any, ...]:
    """Mean, deviation, a quantile, draws, and how it calls itself."""
    return repr(found), found.mean, found.std, found.quantile(0.3), found.sample(2, seed=0)


def report(run: ek.Run) -> str:
    """The page, a tag a line, masked."""
    text, record = run.report_text(), run.record
    for value in (record.created, record.engine, f"evenkeel {record.version}"):
        text = text.replace(value, "(masked)")
    return TOOK.sub(r"\1 in (masked).", text).replace("><", ">\n<")


def saved(folder: Path) -> Items:
    """What a saved run consists of: names of files, the record as JSON, tensors by name."""
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    tensors = {name: load_file(folder / name) for name in names if name.endswith(".safetensors")}
    record = json.dumps(masked(json.loads((folder / "run.json").read_text())), indent=1)
    listed = {f"{name}, {key}": array(found[key]) for name, found in tensors.items() for key in sorted(found)}
    return {"saved-files": "\n".join([*names, lines(listed)]), "saved-record": record}


def masked(value: Any) -> Any:
    """JSON without dates, versions and seconds, at any depth."""
    if isinstance(value, dict):
        return {key: "(masked)" if key in MASKED else masked(each) for key, each in value.items()}
    return [masked(each) for each in value] if isinstance(value, list) else value
