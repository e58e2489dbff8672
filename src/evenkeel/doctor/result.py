"""The result of a checkup: as text in a terminal, as a page in a notebook, as JSON for a program.

    {"format": "evenkeel checkup", "version": 1, "healthy": true, "model": "Sequential", "parameters": 4810,
     "steps": 100, "findings": [{"symptom", "where", "severity", "cause", "sentence", "evidence"}, ...],
     "losses": {"first", "last", "constant", "reachable", "validation": [[step, loss], ...]},
     "chain": {"total_gain", "ideal_gain", "links": [{"name", "kind", "gain", "expected_gain", "ideal_gain",
               "forward_rms", "backward_rms", "similarity", "dead", "saturated"}, ...]}, "notes": [...]}

`chain` is that of the first weights. Numbers that do not exist are null; those that are not finite are strings.
"""

from __future__ import annotations

import html
import json
import math
from dataclasses import dataclass
from typing import Any

from evenkeel.chain import Chain, Link
from evenkeel.finding import Finding
from evenkeel.symptoms.history import History

FORMAT, VERSION = "evenkeel checkup", 1
LINK_FIELDS = (
    "name",
    "kind",
    "gain",
    "expected_gain",
    "ideal_gain",
    "forward_rms",
    "backward_rms",
    "similarity",
    "dead",
    "saturated",
)


@dataclass(frozen=True, kw_only=True)
class Checkup:
    """What a checkup found. Printed it reads well; in a notebook it shows the chain too."""

    findings: tuple[Finding, ...]
    """The gravest first."""
    history: History
    steps: int
    """Steps that the copy was trained for."""
    notes: tuple[str, ...]
    """What could not be looked at."""
    parameters: int
    model: str

    @property
    def healthy(self) -> bool:
        """Whether there is nothing above a note."""
        return all(finding.severity == "note" for finding in self.findings)

    @property
    def chain(self) -> Chain | None:
        """The chain of the first weights, else the first one that could be measured."""
        return next(iter(self.history.chains), None)

    def to_json(self) -> str:
        """The schema above, as text."""
        return json.dumps(self._plain(), indent=2, allow_nan=False)

    def _plain(self) -> dict[str, Any]:
        losses, start, chain = self.history.losses, self.history.start, self.chain
        return {
            "format": FORMAT,
            "version": VERSION,
            "healthy": self.healthy,
            "model": self.model,
            "parameters": self.parameters,
            "steps": self.steps,
            "findings": [_finding(finding) for finding in self.findings],
            "losses": {
                "first": _number(losses[0].loss if losses else None),
                "last": _number(losses[-1].loss if losses else None),
                "constant": _number(start.constant_loss if start else None),
                "reachable": _number(start.reachable_loss if start else None),
                "validation": [[point.step, _number(point.loss)] for point in self.history.validation],
            },
            "chain": None if chain is None else _chain(chain),
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        lines = [self._headline()]
        for finding in self.findings:
            cause = f"  [likely cause: {finding.cause}]" if finding.cause else ""
            lines += [f"  {finding.severity:<8} {finding.symptom}{cause}", f"           {finding.sentence}"]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)

    def _headline(self) -> str:
        verdict = "healthy" if self.healthy else "not healthy"
        return (
            f"{self.model}, {self.parameters:,} parameters, {self.steps} steps of a copy: {verdict}. {self._losses()}"
        )

    def _losses(self) -> str:
        losses, start = self.history.losses, self.history.start
        if not losses:
            return "No step was seen."
        sentence = f"Loss {losses[0].loss:.4g} at first, {losses[-1].loss:.4g} at the end"
        if start is not None and start.constant_loss is not None and start.reachable_loss is not None:
            sentence += f"; the best constant output has {start.constant_loss:.4g}, "
            sentence += f"a small sound network reaches {start.reachable_loss:.4g}"
        return sentence + "."

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{finding.severity}</td><td>{finding.symptom}</td><td>{finding.cause or ''}</td>"
            f"<td>{html.escape(finding.sentence)}</td></tr>"
            for finding in self.findings
        )
        figure = self.chain.figure() if self.chain is not None else ""
        return f"<p>{html.escape(self._headline())}</p><table>{rows}</table>{figure}"


def _finding(finding: Finding) -> dict[str, Any]:
    plain = finding.model_dump()
    plain["evidence"] = {name: _number(value) for name, value in finding.evidence.items()}
    return plain


def _chain(chain: Chain) -> dict[str, Any]:
    return {
        "total_gain": _number(chain.total_gain),
        "ideal_gain": _number(chain.ideal_gain),
        "links": [_link(link) for link in chain.links],
    }


def _link(link: Link) -> dict[str, Any]:
    values = {name: getattr(link, name) for name in LINK_FIELDS}
    return {name: value if isinstance(value, str) else _number(value) for name, value in values.items()}


def _number(value: float | None) -> float | str | None:
    """As JSON can hold it: `inf`, `-inf` and `nan` as words."""
    return value if value is None or math.isfinite(value) else str(value)
