"""The section on what the watch over the training found, the gravest first."""

from collections.abc import Sequence

from evenkeel.page.html import Content, Markup, paragraph, tag
from evenkeel.page.sections import FoundSymptom

RANK = {"critical": 0, "warning": 1, "note": 2}
TONES = {"critical": "bad", "warning": "warning", "note": "note"}
SIGNS = {"critical": "!", "warning": "!", "note": "i"}


def findings_section(findings: Sequence[FoundSymptom]) -> Markup:
    """One entry for every finding, or the sentence that nothing was found."""
    if not findings:
        return paragraph("Every link of the chain was watched while training; nothing was found.")
    ranked = sorted(findings, key=lambda found: RANK[found.severity])
    return tag("ul", *[_entry(found) for found in ranked], class_="sentences findings")


def _entry(found: FoundSymptom) -> Markup:
    tone = TONES[found.severity]
    details = [("where", found.where), ("cause", found.cause), ("evidence", found.evidence)]
    parts: list[Content] = [f"{name}: {value}" for name, value in details if value]
    below = tag("div", " · ".join(parts), class_="details") if parts else ""
    sign = tag("b", SIGNS[found.severity], aria_label=found.severity)
    label = tag("span", f"{found.severity}: {found.symptom}", class_=f"tag {tone}")
    return tag("li", sign, label, tag("div", found.sentence), below, class_=tone)
