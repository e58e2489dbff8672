"""The tables of the examination: shares with Wilson intervals, ours and the three constants from their results."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bench._machine import RESULTS, table
from bench._peers.attach import Said
from bench._peers.observers import version
from bench._specimens import generated, healthy
from bench._specimens.examine import Verdict, hits, right_cause
from bench._specimens.marks import Paper, Share, share
from bench._specimens.peers import READINGS, Reading
from bench._specimens.rows import ROWS

SEEDS = (0, 1, 2)
PARTS = ("rows", "healthy", "generated")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a tool said of one set-up, or what it raised."""

    said: list[Said]
    raised: str | None
    seconds: float


Answers = dict[tuple[str, str, int], Answer]
Labels = dict[str, list[generated.Definition]]


@dataclass(frozen=True, kw_only=True)
class Marks:
    """All shares of one reading of a tool; None where it was not measured."""

    sick_rows: Share | None
    accepted: Share | None
    not_on_twin: Share | None
    cause: Share | None
    twins: Share | None
    controls: Share | None
    generated_healthy: Share | None
    generated_sick: Share | None


def verdict(reading: Reading, answer: Answer) -> Verdict:
    """An answer in the words of the examination."""
    return Verdict(findings=tuple(reading.found(answer.said)), seconds=answer.seconds)


def papers_of(reading: Reading, answers: Answers) -> list[Paper]:
    """Both twins of every row, over the seeds."""

    def one(name: str, seed: int) -> Verdict:
        return verdict(reading, answers[reading.tool, name, seed])

    pairs = [
        (row, seed)
        for row in ROWS
        for seed in SEEDS
        if all((reading.tool, twin.name, seed) in answers for twin in (row.sick, row.fixed))
    ]
    return [Paper(row=r, seed=s, sick=one(r.sick.name, s), fixed=one(r.fixed.name, s)) for r, s in pairs]


def marks_of(reading: Reading, answers: Answers, labels: Labels) -> Marks:
    """Measured."""

    def alarms(asked: list[tuple[str, int]]) -> Share:
        known = [answers[reading.tool, *pair] for pair in asked if (reading.tool, *pair) in answers]
        return share(bool(verdict(reading, answer).symptoms()) for answer in known)

    papers = papers_of(reading, answers)
    named = {label: [(generated.set_up(one).name, one.seed) for one in found] for label, found in labels.items()}
    return Marks(
        sick_rows=share(bool(p.sick.symptoms(p.row.least)) for p in papers),
        accepted=share(hits(p.row, p.sick) for p in papers),
        not_on_twin=share(hits(p.row, p.sick) and p.silent_twin for p in papers),
        cause=share(right_cause(p.row, p.sick) for p in papers),
        twins=share(bool(p.fixed.symptoms()) for p in papers),
        controls=alarms([(setup.name, seed) for setup in healthy.HEALTHY for seed in SEEDS]),
        generated_healthy=alarms(named["healthy"]),
        generated_sick=alarms(named["sick"]),
    )


def published(tool: str) -> Marks:
    """From the committed results of `bench.specimens`."""

    def cell(part: str, label: str) -> Share | None:
        file = RESULTS / f"specimens_{tool}_{part}.md"
        text = file.read_text() if file.is_file() else ""
        found = re.search(re.escape(label) + r"[ |:]*(\d+)/(\d+)", text)
        return Share(hits=int(found[1]), count=int(found[2])) if found and int(found[2]) else None

    return Marks(
        sick_rows=cell("rows", "| an alarm on the sick"),
        accepted=cell("rows", "| an accepted symptom"),
        not_on_twin=cell("rows", "| ... and not on the twin"),
        cause=cell("rows", "| the right cause named first"),
        twins=cell("rows", "| alarms on the fixed twins"),
        controls=cell("healthy", "Alarms on controls"),
        generated_healthy=cell("generated", "| alarms on the healthy"),
        generated_sick=cell("generated", "| alarms on the sick"),
    )


def together(*parts: Share | None) -> Share | None:
    """All parts as one share; None where one is missing."""
    known = [part for part in parts if part is not None]
    return (
        Share(hits=sum(p.hits for p in known), count=sum(p.count for p in known)) if len(known) == len(parts) else None
    )


def shown(part: Share | None) -> str:
    """A share, or a dash where nothing was measured."""
    return "-" if part is None or not part.count else str(part)


def summary(marks: dict[str, Marks]) -> str:
    """The line of each tool: what it finds, what it names, how often it cries for nothing."""
    lines: list[list[object]] = []
    for name, m in marks.items():
        sick = together(m.sick_rows, m.generated_sick)
        well = together(m.twins, m.controls, m.generated_healthy)
        lines.append([name, *map(shown, (sick, well, m.accepted, m.not_on_twin, m.cause))])
    rows = ["of the rows: an accepted symptom", "... and not on the twin", "the right cause named first"]
    return table(["tool", "alarms on all that are sick", "alarms on all that are healthy", *rows], lines)


def by_part(marks: dict[str, Marks]) -> str:
    """Alarms where they were given."""
    lines: list[list[object]] = []
    for name, m in marks.items():
        lines.append([name, *map(shown, (m.sick_rows, m.generated_sick, m.twins, m.controls, m.generated_healthy))])
    return table(["alarms on", "sick rows", "generated, sick", "fixed twins", "controls", "generated, healthy"], lines)


def published_row(number: int) -> str:
    """Ours, seed by seed, from the committed table."""
    file = RESULTS / "specimens_checkup_rows.md"
    text = file.read_text() if file.is_file() else ""
    lines = re.findall(rf"^\| {number} \| \d+ \| (\w+) \| (\w+) \| (\w+) \|", text, re.MULTILINE)
    found = sum(sick == "yes" and twin == "silent" for sick, twin, _ in lines)
    return f"{found}/{sum(cause == 'yes' for *_, cause in lines)}" if lines else "-"


def row_lines(answers: Answers, names: list[str]) -> str:
    """Row by row: seeds with an accepted symptom that the twin has not / seeds with the right cause first."""
    papers = {name: papers_of(READINGS[name], answers) for name in names}
    lines: list[list[object]] = []
    for row in ROWS:
        seeds = sum(paper.row is row for paper in papers[names[0]])
        cells: list[object] = [row.number, row.title, seeds, published_row(row.number)]
        for name in names:
            own = [paper for paper in papers[name] if paper.row is row]
            good = sum(hits(row, paper.sick) and paper.silent_twin for paper in own)
            cells.append(f"{good}/{sum(right_cause(row, paper.sick) for paper in own)}" if own else "-")
        lines.append(cells)
    return table(["row", "fault", "seeds", "checkup, 3 seeds", *names], lines)


def raised(answers: Answers, tools: list[str]) -> str:
    """How often each tool raised in a training, and how long it took for all."""
    lines: list[list[object]] = []
    for tool in tools:
        own = [answer for (name, *_), answer in answers.items() if name == tool]
        problems = sorted({answer.raised.split("\n")[0][:120] for answer in own if answer.raised})
        count = sum(answer.raised is not None for answer in own)
        seconds = f"{sum(answer.seconds for answer in own):.0f}"
        lines.append([tool, version(tool), len(own), count, "; ".join(problems).replace("|", "/") or "-", seconds])
    return table(["tool", "version", "trainings", "raised", "what", "s in all"], lines)


def specimen_tables(answers: Answers, labels: Labels, tools: list[str], left: list[str]) -> list[str]:
    """The body of the result."""
    names = [name for name, reading in READINGS.items() if reading.tool in tools]
    marks = {"evenkeel checkup": published("checkup"), "three constants": published("three_constants")}
    marks |= {name: marks_of(READINGS[name], answers, labels) for name in names}
    absent = [f"Not installed, so not measured: {', '.join(left)}."] if left else []
    head = [ABOUT, asked(answers, labels, tools[0])]
    return [
        *head,
        *absent,
        summary(marks),
        by_part(marks),
        ROW_BY_ROW,
        row_lines(answers, names),
        raised(answers, tools),
    ]


def asked(answers: Answers, labels: Labels, tool: str) -> str:
    """How much of the whole every tool was asked."""
    pairs = len(papers_of(Reading(tool=tool), answers))
    left = [str(row.number) for row in ROWS if (tool, row.sick.name, SEEDS[-1]) not in answers]
    controls = sum((tool, setup.name, seed) in answers for setup in healthy.HEALTHY for seed in SEEDS)
    drawn = [one for found in labels.values() for one in found]
    known = [one.seed for one in drawn if (tool, generated.set_up(one).name, one.seed) in answers]
    return (
        f"Asked of every tool: {pairs} of {len(ROWS) * len(SEEDS)} pairs of twins"
        + (f" (not all seeds of the dear rows {', '.join(left)})" if left else "")
        + f", {controls} of {len(healthy.HEALTHY) * len(SEEDS)} controls, and {len(known)} of {len(drawn)} generated "
        f"set-ups with a label, in the order of the draw. The checkup was asked all."
    )


ABOUT = """Each tool looks on at 200 steps of the owner's loop, attached as its documentation says; its verdicts are
read by the table in `bench/_specimens/peers.py`, in doubt to its favour. An alarm is a verdict of warning or above.
*torch-audit* looks at every step (its default, every 1000th, would see one); its *health rules* are all but those on
speed and good practice. *neuraldbg*: its open edition. *mldoct*: its diagnosis of a log with a line in 20 steps; its
linter reads scripts, and set-ups are none; *insights too* counts every remark. *model-clinic*: its monitor and its
exam of the last weights. *torchdiag*: its checks at the first and the last step. A tool that raised has found nothing.
The checkup and the three constants: from their own committed results, on the same set-ups and seeds; the checkup
trains on its own, and the rows say its symptoms' and causes' names, which the other tools cannot know: the column of
alarms needs no names."""
ROW_BY_ROW = """Row by row: in how many of the seeds an accepted symptom is named that the twin is free of, and in
how many the right cause is named first."""
