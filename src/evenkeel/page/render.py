"""From a report's records to one HTML page: inline style and drawings, no script, no address, well-formed as XML.

verdict · data · network and plan · curves · predictions against the truth · importance · baselines · findings
· further sections · how to repeat it
"""

from evenkeel.page.baselines import baselines_section
from evenkeel.page.curves import curves_section
from evenkeel.page.data import data_section
from evenkeel.page.findings import findings_section
from evenkeel.page.html import Markup, figure, join, paragraph, section, tag
from evenkeel.page.importance import importance_section
from evenkeel.page.plan import plan_section
from evenkeel.page.predictions import predictions_section
from evenkeel.page.sections import Report, Section, Snippet
from evenkeel.page.style import STYLE
from evenkeel.page.verdict import verdict


def render(report: Report) -> str:
    """The whole page of a report as text, to be written to a file as UTF-8.

    Example:
        >>> from evenkeel.page import Report, Sentence
        >>> page = render(Report(title="a < b", verdict=[Sentence(text="Sound.", tone="good")]))
        >>> "a &lt; b" in page and "<script" not in page
        True
    """
    parts = _parts(report)
    links = [tag("a", _short(anchor, title), href=f"#{anchor}") for anchor, title, _ in parts]
    top = tag(
        "header",
        tag("h1", report.title),
        paragraph(report.subtitle, kind="subtitle") if report.subtitle else "",
        verdict(report.verdict, report.figures),
        tag("nav", *links, aria_label="Sections") if len(links) > 1 else "",
    )
    body = [section(anchor, title, content) for anchor, title, content in parts]
    made = " · ".join(words for words in (report.version, report.created) if words)
    end = tag("footer", made) if made else ""
    main = tag("main", top, *body, end)
    return "<!DOCTYPE html>\n" + tag("html", _head(report.title), tag("body", main), lang="en") + "\n"


def _head(title: str) -> Markup:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Markup(STYLE)),
    )


def _parts(report: Report) -> list[tuple[str, str, Markup]]:
    """The sections that have something to say, as anchor, title and content, in the order of reading."""
    sections = [
        ("data", "Data", report.data and data_section(report.data)),
        ("plan", "Network and plan", report.plan and plan_section(report.plan)),
        ("curves", "Training", report.curves and curves_section(report.curves)),
        ("predictions", "Predictions against the truth", predictions_section(report.predictions)),
        ("importance", "Which columns matter", report.importance and importance_section(report.importance)),
        ("baselines", "Beside simpler models", report.baselines and baselines_section(report.baselines)),
        ("findings", "Findings", None if report.findings is None else findings_section(report.findings)),
        *((f"extra-{index + 1}", extra.title, _extra(extra)) for index, extra in enumerate(report.extra)),
        ("repeat", "How to repeat it", join(*[_snippet(snippet) for snippet in report.repeat])),
    ]
    return [(anchor, title, content) for anchor, title, content in sections if content]


def _short(anchor: str, title: str) -> str:
    """What a section is called among the links at the top."""
    return title if anchor.startswith("extra") else anchor.capitalize()


def _extra(extra: Section) -> Markup:
    words = tag("pre", extra.text) if extra.text else ""
    if not extra.svg:
        return join(words, paragraph(extra.caption) if extra.caption else "")
    return join(figure(extra.svg, extra.caption, width="wide"), words)


def _snippet(snippet: Snippet) -> Markup:
    return join(tag("h3", snippet.title), tag("pre", tag("code", snippet.code)))
