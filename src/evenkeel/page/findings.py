"""The section of findings of the watch over the training, the gravest first."""

from collections.abc import Sequence

from evenkeel.page.html import Content, Markup, paragraph, tag
from evenkeel.page.sections import ShownFinding

RANK = {"critical": 0, "warning": 1, "note": 2}
TONES = {"critical": "bad", "warning": "warning", "note": "note"}
SIGNS = {"critical": "!", "warning": "!", "note": "i"}


def findings_section(findings: Sequence[ShownFinding]) -> Markup:
    """One entry for every finding, or a sentence where there is none."""
    if not findings:
        return paragraph("Every link of the chain was watched while training; nothing was found.")
    ranked = sorted(findings, key=lambda finding: RANK[finding.severity])
    return tag("ul", *[_entry(finding) for finding in ranked], class_="sentences findings")


def _entry(finding: ShownFinding) -> Markup:
    tone = TONES[finding.severity]
    details = [("where", finding.where), ("cause", finding.cause), ("evidence", finding.evidence)]
    parts: list[Content] = [f"{name}: {value}" for name, value in details if value]
    below = tag("div", " · ".join(parts), class_="details") if parts else ""
    sign = tag("b", SIGNS[finding.severity], aria_label=finding.severity)
    label = tag("span", f"{finding.severity}: {finding.symptom}", class_=f"tag {tone}")
    return tag("li", sign, label, tag("div", finding.sentence), below, class_=tone)
