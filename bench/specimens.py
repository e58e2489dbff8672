"""The examination of a training doctor on sick set-ups, fixed twins, healthy controls and generated set-ups.

EVENKEEL_DATA=... python -m bench.specimens outcomes [ROW ...]     does the fault hurt, does the fix help: seeds 0, 1, 2
EVENKEEL_DATA=... python -m bench.specimens generated [COUNT]      label so many generated set-ups by outcome
EVENKEEL_DATA=... python -m bench.specimens examine [TOOL [PART]]  PART: rows, healthy, generated, or all

Without arguments: all three. Outcomes are kept line by line in bench/cache/specimens.jsonl: broken off, they go on.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import torch

from bench._machine import publish, table
from bench._specimens import generated, healthy, store
from bench._specimens.examine import TOOLS, Verdict, examine
from bench._specimens.marks import Paper, row_table, share, summary
from bench._specimens.outcomes import Outcome, lost_share, train
from bench._specimens.peers import PEERS
from bench._specimens.rows import MODULES, ROWS
from bench._specimens.setup import Row, SetUp

KNOWN = TOOLS | PEERS
SEEDS = (0, 1, 2)
DRAWS = 600
"""Generated set-ups that are drawn, so that at least 300 get a label."""
FROZEN = "469a793"
"""The commit that froze the rules before the examination whose results lie in bench/results."""
HURTS = 0.05
"""Share of the twin's gain over the trivial predictor that a fault costs in every seed, where it counts as harm."""

ABOUT = f"""Held-out score over seeds 0, 1, 2 (accuracy, share of right labels, RMSE, nats per character, or retrieval);
the trivial predictor's score; which share of the twin's gain over it the sick one loses; does the fault hurt (more than
{100 * HURTS:.0f} % is lost in every seed); does the fix help (it hurts, and no seed of the twin falls far behind the
best one); steps and seconds of one training."""


def outcome(setup: SetUp, seed: int, version: str) -> Outcome:
    """The outcome of one training, from the cache where it is known."""
    key = store.digest(setup.name, seed, version)
    known = store.outcomes().get(key)
    if known is None:
        known = train(setup, seed)
        store.keep(key, f"{setup.name}, seed {seed}", known)
        print(setup.name, seed, known, flush=True)
    return known


def version_of(row: Row) -> str:
    """The source text that a row's outcomes depend on."""
    module = next(module for module in MODULES if row in module.ROWS)
    folder = Path(str(module.__file__)).parent
    shared = ("nets", "make", "tables", "scores", "loops", "setup", "attention", "drawings")
    return store.source_digest(str(module.__file__), *(str(folder / f"{name}.py") for name in shared))


def outcome_line(row: Row) -> list[object]:
    """Scores of both twins over the seeds, and the two answers."""
    version = version_of(row)
    sick = [outcome(row.sick, seed, version) for seed in SEEDS]
    fixed = [outcome(row.fixed, seed, version) for seed in SEEDS]
    lost = [lost_share(a, b, row.sick.direction) for a, b in zip(sick, fixed, strict=True)]
    learns = [lost_share(one, best_of(fixed, row), row.sick.direction) < 1 / 3 for one in fixed]
    shown = [" ".join(f"{one.score:.3g}" for one in side) for side in (sick, fixed)]
    shares = " ".join(f"{100 * value:.0f}" for value in lost)
    answers = ["yes" if min(lost) > HURTS else "NO", "yes" if min(lost) > HURTS and all(learns) else "NO"]
    seconds = max(one.seconds for one in (*sick, *fixed))
    steps = f"{row.sick.steps}"
    return [row.number, row.title, *shown, f"{sick[0].trivial:.3g}", shares, *answers, steps, f"{seconds:.0f}"]


def best_of(found: list[Outcome], row: Row) -> Outcome:
    """The best outcome over the seeds."""
    return (max if row.fixed.direction == "higher" else min)(found, key=lambda one: one.score)


def run_outcomes(numbers: list[str]) -> None:
    """Measure the rows named, or all."""
    rows = [row for row in ROWS if not numbers or str(row.number) in numbers]
    header = ["#", "fault", "sick", "fixed", "trivial", "lost, %", "hurts", "fix helps", "steps", "s"]
    lines = [outcome_line(row) for row in rows]
    text = f"{ABOUT}\n\n{table(header, lines)}"
    if numbers:
        print(text)
        return
    text += "\n\nThe other healthy controls, same seeds:\n\n" + control_table()
    publish("specimens_outcomes", "Do the specimens hurt, and do the fixes help", command("outcomes"), text)


def control_table() -> str:
    """Scores of the healthy controls."""
    version = store.source_digest(*(str(module.__file__) for module in (healthy, *MODULES)))
    lines: list[list[object]] = []
    for setup in healthy.HEALTHY:
        found = [outcome(setup, seed, version) for seed in SEEDS]
        scores = " ".join(f"{one.score:.3g}" for one in found)
        lines.append([setup.name, scores, f"{found[0].trivial:.3g}", f"{max(one.seconds for one in found):.0f}"])
    return table(["control", "score", "trivial", "s"], lines)


def run_generated(count: int) -> None:
    """Label by outcome."""
    lines: list[list[object]] = []
    total: Counter[str] = Counter()
    for name in generated.DATA:
        best = generated.best_of(name)
        drawn = [one for one in map(generated.draw, range(count)) if one.table == name]
        labels = Counter(generated.label(one, best) for one in drawn)
        total += labels
        row = [name, f"{best.score:.4g}", f"{best.trivial:.4g}", labels["healthy"], labels["sick"], labels["between"]]
        lines.append(list(row))
        print(row, flush=True)
    lines.append(["all", "", "", total["healthy"], total["sick"], total["between"]])
    body = table(["data", "best of the search", "trivial", "healthy", "sick", "left out"], lines)
    publish("specimens_generated", "Generated set-ups, labelled by outcome", command(f"generated {count}"), body)


def command(arguments: str) -> str:
    """How it was run."""
    return f"EVENKEEL_DATA=... python -m bench.specimens {arguments}"


def examine_rows(tool: str) -> list[Paper]:
    """Both twins of every row, over the seeds."""
    use, papers = KNOWN[tool], []
    for row in ROWS:
        for seed in SEEDS:
            pair = {role: examine(getattr(row, role), seed, use) for role in ("sick", "fixed")}
            papers.append(Paper(row=row, seed=seed, **pair))
        print(row.number, row.title, papers[-1].sick.symptoms(row.least), flush=True)
    return papers


def examine_healthy(tool: str) -> dict[str, Verdict]:
    """The controls, over the seeds."""
    found = {}
    for setup in healthy.HEALTHY:
        found |= {f"{setup.name}, seed {seed}": examine(setup, seed, KNOWN[tool]) for seed in SEEDS}
        print(setup.name, found[f"{setup.name}, seed {SEEDS[-1]}"].symptoms(), flush=True)
    return found


def examine_generated(tool: str) -> dict[str, list[tuple[generated.Definition, Verdict]]]:
    """Generated set-ups by label; those between are left out."""
    best = {name: generated.best_of(name) for name in generated.DATA}
    found: dict[str, list[tuple[generated.Definition, Verdict]]] = {"healthy": [], "sick": []}
    for one in map(generated.draw, range(DRAWS)):
        label = generated.label(one, best[one.table])
        if label != "between":
            verdict = examine(generated.set_up(one), one.seed, KNOWN[tool])
            found[label].append((one, verdict))
            print(label, one.name, verdict.symptoms(), flush=True)
    return found


def alarms(found: dict[str, Verdict]) -> str:
    """Each control with an alarm."""
    marks = f"Alarms on controls: {share(bool(verdict.symptoms()) for verdict in found.values())}."
    lines = [[name, " ".join(verdict.symptoms())] for name, verdict in found.items() if verdict.symptoms()]
    return "\n\n".join(
        [marks, *([table(["healthy control", "alarm"], [list(line) for line in lines])] if lines else [])]
    )


def generated_table(found: dict[str, list[tuple[generated.Definition, Verdict]]]) -> str:
    """Shares, and the set-ups on which the tool was wrong."""
    marks = {label: share(bool(verdict.symptoms()) for _, verdict in pairs) for label, pairs in found.items()}
    lines: list[list[object]] = [
        ["alarms on the healthy", marks["healthy"]],
        ["alarms on the sick", marks["sick"]],
    ]
    wrong = [("false alarm", one, v) for one, v in found["healthy"] if v.symptoms()]
    wrong += [("missed", one, v) for one, v in found["sick"] if not v.symptoms()]
    detail = table(["", "set-up", "named"], [[kind, one.name, " ".join(v.symptoms())] for kind, one, v in wrong])
    return table(["generated", "share (95 % interval)"], lines) + "\n\n" + detail


def run_examine(tool: str, part: str) -> None:
    """Examine a tool and publish its marks."""
    papers = examine_rows(tool) if part in ("rows", "all") else []
    controls = examine_healthy(tool) if part in ("healthy", "all") else {}
    made = examine_generated(tool) if part in ("generated", "all") else None
    body = [f"Rules frozen by commit {FROZEN}."]
    body += [summary(papers, list(controls.values())), row_table(papers)] if papers else []
    body += [alarms(controls)] if controls else []
    body += [generated_table(made)] if made else []
    name = f"specimens_{tool.replace('-', '_')}" + ("" if part == "all" else f"_{part}")
    publish(name, f"The examination of {tool}", command(f"examine {tool} {part}"), "\n\n".join(body))


def main(arguments: list[str]) -> None:
    """One thread: small nets spend more than one waiting for each other."""
    torch.set_num_threads(1)
    task, *rest = arguments or ["all"]
    if task in ("outcomes", "all"):
        run_outcomes(rest)
    if task in ("generated", "all"):
        run_generated(int(rest[0]) if rest else DRAWS)
    if task in ("examine", "all"):
        tool, part = (*rest, *("checkup", "all")[len(rest) :])
        run_examine(tool, part)


if __name__ == "__main__":
    main(sys.argv[1:])
