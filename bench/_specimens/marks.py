"""The tables of an examination: shares with Wilson intervals, beside what always naming the commonest would reach."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from bench._machine import table
from bench._specimens.examine import Verdict, hits, right_cause
from bench._specimens.setup import Row

Z = 1.959964
"""Standard normal quantile of a 95 % interval."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """So many of so many."""

    hits: int
    count: int

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
        if not self.count:
            return 0.0, 1.0
        p, n = self.hits / self.count, self.count
        center, half = p + Z**2 / (2 * n), Z * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
        scale = 1 + Z**2 / n
        return max(0.0, (center - half) / scale), min(1.0, (center + half) / scale)

    def __str__(self) -> str:
        low, high = self.interval
        percent = 100 * self.hits / self.count if self.count else math.nan
        return f"{self.hits}/{self.count} = {percent:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


def share(marks: Iterable[bool]) -> Share:
    """The share of true ones."""
    marks = list(marks)
    return Share(hits=sum(marks), count=len(marks))


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A row examined with one seed: what the tool said of the sick set-up and of its twin."""

    row: Row
    seed: int
    sick: Verdict
    fixed: Verdict

    @property
    def silent_twin(self) -> bool:
        """Whether none of the accepted symptoms was found on the twin."""
        return not hits(self.row, self.fixed)


def commonest(rows: list[Row]) -> tuple[str, str]:
    """The symptom and the cause that most rows accept."""
    symptoms = Counter(symptom for row in rows for symptom in sorted(row.symptoms))
    causes = Counter(cause for row in rows for cause in sorted(row.causes))
    return symptoms.most_common(1)[0][0], causes.most_common(1)[0][0]


def summary(papers: list[Paper], controls: list[Verdict]) -> str:
    """Recall, silence of the twins, causes, alarms on the healthy; and the majority-class baseline."""
    symptom, cause = commonest([paper.row for paper in papers])
    lines: list[list[object]] = [
        ["an alarm on the sick", share(bool(paper.sick.symptoms(paper.row.least)) for paper in papers), "100 %"],
        [
            "an accepted symptom",
            share(hits(paper.row, paper.sick) for paper in papers),
            f"{share(symptom in paper.row.symptoms for paper in papers)}: always {symptom}",
        ],
        ["... and not on the twin", share(hits(p.row, p.sick) and p.silent_twin for p in papers), "0 %"],
        [
            "the right cause named first",
            share(right_cause(paper.row, paper.sick) for paper in papers),
            f"{share(cause in paper.row.causes for paper in papers)}: always {cause}",
        ],
        ["alarms on the fixed twins", share(bool(paper.fixed.symptoms()) for paper in papers), "100 %"],
    ]
    if controls:
        others = share(bool(verdict.symptoms()) for verdict in controls)
        lines.append(["alarms on the other controls", others, "100 %"])
    return table(["", "share (95 % interval)", "always naming the commonest"], lines)


def row_table(papers: list[Paper]) -> str:
    """One line for each row and seed."""
    lines: list[list[object]] = []
    for paper in papers:
        row, sick = paper.row, paper.sick
        lines.append(
            [
                row.number,
                paper.seed,
                "yes" if hits(row, sick) else "NO",
                "silent" if paper.silent_twin else "ALARM",
                "yes" if right_cause(row, sick) else "no",
                " ".join(dict.fromkeys(sick.symptoms(row.least))) or "-",
                " ".join(dict.fromkeys(sick.causes(row.least))) or "-",
                " ".join(dict.fromkeys(paper.fixed.symptoms())) or "-",
                "-" if sick.first_step is None else sick.first_step,
                f"{sick.seconds:.1f}",
            ]
        )
    header = ["row", "seed", "found", "twin", "cause", "symptoms named", "causes named", "on the twin", "step", "s"]
    return table(header, lines)
