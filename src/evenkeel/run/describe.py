"""From a run to the records of its report: verdict, data, plan, curves, predictions against truth, comparisons."""

from __future__ import annotations

import numpy as np
from torch import nn

from evenkeel import metrics
from evenkeel import page as report
from evenkeel.chain import Chain
from evenkeel.page.prediction_records import ClassesSection, LabelScore, LabelsSection, RegressionSection, Reliability
from evenkeel.run.pictures import pictures_of
from evenkeel.run.repeat import repeats
from evenkeel.run.run import Run
from evenkeel.train.scores import metric_of

RELIABILITY_BINS = 10
EXPLANATIONS = {
    "rmse": "root of the mean squared error",
    "mae": "mean absolute error",
    "r2": "share of the variance explained; 0 is the mean alone, 1 is perfect",
    "nll": "surprise at the truth, in nats; lower is better",
    "crps": "error of the whole predicted distribution, in the target's units",
    "coverage_90": "share of the truth inside the 90 % intervals; 90 % is right",
    "width_90": "mean width of the 90 % intervals",
    "accuracy": "share of rows with the right class",
    "log_loss": "surprise at the true class, in nats; lower is better",
    "auc": "chance that a row of the class is ranked above one that is not",
    "average_precision": "precision averaged over recall",
    "calibration_error": "mean gap between confidence and accuracy",
    "hamming": "share of labels that are wrong; lower is better",
    "f1_micro": "F1 over all labels together",
    "f1_macro": "F1 averaged over labels",
    "recall_at_k": "how often the nearest neighbour belongs to the same group",
    "map_at_r": "how well each row ranks its own group before all others",
    "alignment": "distance between embeddings that belong together; 0 is best",
    "uniformity": "how evenly embeddings cover the sphere; lower is more even, 0 is collapse",
    "perplexity": "among how many equally likely tokens the network hesitates; 1 is certainty",
    "bits_per_character": "length of the text in the network's own code; lower is better",
    "reconstruction": "mean squared error of what was decoded",
    "kl": "how much the code says about what was encoded, in nats; 0 is collapse",
    "active_units": "latent dimensions that carry something",
}
OF_ONE_TASK = {"counts": "positive-regression", "positive": "positive-regression", "beta": "probabilistic-regression"}
OF_OUR_NET = {"width", "depth", "skip", "activation", "norm", "dropout", "members", "bins"}
SHARES = ("coverage_90", "accuracy", "hamming", "calibration_error")


def describe(run: Run) -> report.Report:
    """The report of a run."""
    record = run.record
    target = record.target.name
    return report.Report(
        title=f"{target}",
        subtitle=f"{record.plan.task} from {record.source}",
        verdict=_verdict(run),
        figures=[_figure(name, value, target) for name, value in record.metrics.items()],
        data=_data(run),
        plan=_plan(run),
        curves=_curves(run),
        predictions=_predictions(run),
        importance=_importance(run),
        baselines=_baselines(run),
        findings=[
            report.FoundSymptom(
                symptom=each.symptom,
                sentence=each.sentence,
                severity=each.severity,
                where=each.where,
                cause=each.cause or "",
            )
            for each in run.findings
        ],
        extra=[*pictures_of(run), *_chains(run)],
        repeat=repeats(run),
        created=record.created,
        version=f"evenkeel {record.version}",
    )


def _figure(name: str, value: float, target: str) -> report.Figure:
    unit = f"in units of {target}" if name in ("rmse", "mae", "crps", "width_90") else ""
    form = "percent" if name in SHARES else "number"
    told = EXPLANATIONS.get(name) or metrics.PARTS[metric_of(name)].summary
    return report.Figure(name=name.replace("_", " "), value=value, unit=unit, explanation=told, form=form)


def _verdict(run: Run) -> list[report.Sentence]:
    """What a person should know first."""
    record, looks = run.record, run.history
    found = []
    if record.ended in ("SIGINT", "SIGTERM"):
        found.append(report.Sentence(text="Training was interrupted; this is the best network so far.", tone="bad"))
    lost = record.verdict.startswith("A plain")
    if record.verdict:
        found.append(report.Sentence(text=record.verdict, tone="note" if lost else "good"))
    found += [report.Sentence(text=each.sentence, tone="bad") for each in run.findings if each.severity != "note"]
    if (
        looks
        and record.ended == "budget"
        and record.best_update >= 0.98 * looks[-1].update
        and record.rows["validation"]
    ):
        found.append(report.Sentence(text="The loss was still falling at the end: more updates may help.", tone="note"))
    covered = record.metrics.get("coverage_90")
    if covered is not None:
        text = f"The 90 % intervals hold {covered:.0%} of the truth on the test rows."
        found.append(report.Sentence(text=text, tone="good" if 0.85 <= covered <= 0.95 else "note"))
    found += [report.Sentence(text=note, tone="bad") for note in record.notes if "leakage" in note]
    return found or [report.Sentence(text=_measured(run), tone="note")]


def _measured(run: Run) -> str:
    """What there is to say where no plain model was beside it."""
    record, foremost = run.record, run.part.metrics[0]
    if foremost not in record.metrics:
        return "The network is trained; no rows were held out to measure it."
    name, value = foremost.replace("_", " "), f"{record.metrics[foremost]:.4g}"
    return (
        f"On {record.rows['test']} test rows that nothing has touched, {name} is {value}; no plain model answers this."
    )


def _chains(run: Run) -> list[report.Section]:
    """The chain of back-propagation, at the first step and at the last one that was looked at."""
    told = (
        ("The chain at the first step", "Before anything is learned theory and measurement should agree."),
        ("The chain late in training", "Weights align with what they learn; theory speaks of the first step only."),
    )
    return [
        report.Section(title=title, svg=chain.figure(title=title), caption=_caption(chain, words))
        for chain, (title, words) in zip(run.record.chains, told, strict=False)
    ]


def _caption(chain: Chain, words: str) -> str:
    if chain.total_gain is None:
        return words
    ideal = "" if chain.ideal_gain is None else f" (ideal {chain.ideal_gain:.2g})"
    return f"From output to input the gradient is multiplied by {chain.total_gain:.2g}{ideal}. {words}"


def _data(run: Run) -> report.DataSection:
    record = run.record
    columns = [
        report.Column(
            name=column.name,
            kind=column.kind,
            missing=column.missing,
            examples=column.examples,
            role="left out" if column.note else "input",
            note=column.note.removeprefix("left out: "),
        )
        for column in record.schema_.columns
    ]
    target = run.sample.get("target")
    values, counts = None, []
    if target is not None and run.part.reads == "number":
        values = target.double().numpy()
    elif target is not None and run.part.reads in ("class", "labels"):
        whole = run.part.reads == "class"
        found = np.bincount(target.numpy(), minlength=len(run.classes)) if whole else target.numpy().sum(0)
        named = zip(run.classes, found, strict=True)
        counts = [report.Count(name=str(name), count=int(count)) for name, count in named]
    return report.DataSection(
        source=record.source,
        parts=[report.Count(name=name, count=count) for name, count in record.rows.items()],
        split=record.split,
        target=record.target.name,
        task=record.plan.task,
        reason=record.reason,
        columns=columns,
        notes=[report.Sentence(text=note, tone="bad" if "leakage" in note else "note") for note in record.notes],
        target_values=values,
        target_rows=0 if target is None else len(target),
        target_counts=counts,
    )


def _plan(run: Run) -> report.PlanSection:
    record = run.record
    # A net of the user's own knows nothing of the plan's; what only another task or loss reads is nothing to tell.
    unused = {"task", "net", "loss", "net_options"} | (OF_OUR_NET if record.net == "given" else set())
    unused |= {name for name, task in OF_ONE_TASK.items() if task != record.plan.task}
    unused |= set() if record.plan.loss == "focal" else {"gamma"}
    unused |= set() if record.schema_.kind == "table" else {"bins"}
    settings = {**record.plan.model_dump(exclude=unused), **record.plan.net_options}
    return report.PlanSection(
        task=record.plan.task,
        net=record.net_text,
        head=run.part.summary,
        loss=record.loss_text,
        parameters=sum(parameter.numel() for parameter in run.network.parameters()),
        layers=[
            report.Layer(name=name, shape=_shape(module), parameters=sum(p.numel() for p in module.parameters()))
            for name, module in run.network.named_modules()
            if not list(module.children()) and list(module.parameters())
        ],
        settings=[report.Setting(name=name.replace("_", " "), value=str(value)) for name, value in settings.items()],
    )


def _shape(module: nn.Module) -> str:
    """What a layer puts out, as far as its own numbers tell."""
    for name in ("outputs", "units", "out_features", "out_channels", "embedding_dim", "num_features"):
        if isinstance(getattr(module, name, None), int):
            members = getattr(module, "members", None)
            return f"{members} × {getattr(module, name)}" if members else str(getattr(module, name))
    return ""


def _curves(run: Run) -> report.CurvesSection | None:
    looks = run.history
    if not looks:
        return None
    updates = [look.update for look in looks]

    def curve(name: str, values: list[float | None]) -> report.Curve:
        numbers = [float("nan") if value is None else value for value in values]
        return report.Curve(name=name, updates=updates, values=numbers)

    held = any(look.validation_loss is not None for look in looks)
    return report.CurvesSection(
        loss=run.record.loss_text,
        training=curve("training", [look.train_loss for look in looks]),
        validation=curve("validation", [look.validation_loss for look in looks]) if held else None,
        learning_rate=curve("learning rate", [look.rate for look in looks]),
        best_update=run.record.best_update if run.plan.keep == "best" else None,
        seconds=run.record.seconds,
    )


def _predictions(run: Run) -> RegressionSection | ClassesSection | LabelsSection | None:
    """Predictions against truth on the kept test rows."""
    if "output" not in run.sample or run.part.reads not in ("number", "class", "labels"):
        return None
    head, output, target = run.network.head, run.sample["output"], run.sample["target"]
    if run.part.reads == "number":
        distribution, truth = head.distribution(output), target.double().numpy()
        lower, upper = (None, None) if distribution is None else distribution.interval(0.9)
        return RegressionSection(
            target=run.record.target.name,
            truth=truth,
            prediction=head.predict(output).numpy(),
            lower=lower,
            upper=upper,
            pit=None if distribution is None else distribution.cdf(truth),
        )
    probability, truth = np.asarray(head.probability(output)), target.numpy()
    if run.part.reads == "class":
        return _classes(probability, truth, [str(name) for name in run.classes])
    return _labels(probability, truth, [str(name) for name in run.classes])


def _classes(probability: np.ndarray, truth: np.ndarray, names: list[str]) -> ClassesSection:
    predicted = probability.argmax(1)
    confusion = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(confusion, (truth, predicted), 1)
    reliability = _reliability(probability.max(1), predicted == truth)
    return ClassesSection(names=names, confusion=confusion, reliability=reliability)


def _labels(probability: np.ndarray, truth: np.ndarray, names: list[str]) -> LabelsSection:
    rows = []
    for index, name in enumerate(names):
        said, there = probability[:, index] > 0.5, truth[:, index] > 0.5
        hit = float((said & there).sum())
        rows.append(
            LabelScore(
                name=name,
                base_rate=float(there.mean()),
                precision=hit / said.sum() if said.any() else None,
                recall=hit / there.sum() if there.any() else None,
                f1=2 * hit / (said.sum() + there.sum()) if said.any() or there.any() else None,
                auc=metrics.PARTS["auc"].call(probability[:, index], there.astype(np.int64)),
            )
        )
    return LabelsSection(labels=rows, reliability=_reliability(probability.ravel(), truth.ravel() > 0.5))


def _reliability(confidence: np.ndarray, right: np.ndarray) -> Reliability:
    """Mean confidence, accuracy and count in bins of equal width; empty bins are left out."""
    place = np.minimum((confidence * RELIABILITY_BINS).astype(int), RELIABILITY_BINS - 1)
    used = np.unique(place)
    return Reliability(
        confidence=[float(confidence[place == index].mean()) for index in used],
        accuracy=[float(right[place == index].mean()) for index in used],
        count=[int((place == index).sum()) for index in used],
    )


def _importance(run: Run) -> report.ImportanceSection | None:
    found = run.record.importance
    if not found:
        return None
    columns = [report.ColumnImportance(name=each.column, drop=each.drop, spread=each.spread) for each in found]
    return report.ImportanceSection(metric=run.part.metrics[0], columns=columns, repeats=3)


def _baselines(run: Run) -> report.BaselinesSection | None:
    record = run.record
    if not record.baselines:
        return None
    shared = [name for name in record.metrics if any(name in theirs for theirs in record.baselines.values())]
    columns = [
        report.Metric(name=name, better="higher" if metrics.PARTS[name].better == "higher" else "lower")
        for name in shared
    ]
    rows = [report.BaselineRow(name="evenkeel", values=[record.metrics[name] for name in shared], model="ours")]
    rows += [
        report.BaselineRow(name=name, values=[theirs.get(metric) for metric in shared])
        for name, theirs in record.baselines.items()
    ]
    return report.BaselinesSection(metrics=columns, rows=rows, sentence=record.verdict)
