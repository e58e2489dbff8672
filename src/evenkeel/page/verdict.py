"""The top of the page: the verdict in plain sentences, and the headline numbers of the test part."""

from collections.abc import Sequence

from evenkeel.page.html import Markup, join, tag
from evenkeel.page.sections import Figure, Sentence
from evenkeel.svg import number, percent

LONGEST_UNIT = 10  # characters; a longer unit is written below the number
SIGNS = {"good": "✓", "note": "i", "bad": "!"}


def verdict(sentences: Sequence[Sentence], figures: Sequence[Figure]) -> Markup:
    """Draw the sentences that sum up the report."""
    tiles = tag("div", *[_tile(one) for one in figures], class_="figures") if figures else ""
    return join(toned(sentences, kind="sentences verdict"), tiles)


def toned(sentences: Sequence[Sentence], kind: str = "sentences") -> Markup:
    """Sentences with a sign for their tone, which colour repeats but does not carry alone."""
    if not sentences:
        return Markup("")
    rows = [
        tag("li", tag("b", SIGNS[one.tone], title=one.tone, aria_label=one.tone), one.text, class_=one.tone)
        for one in sentences
    ]
    return tag("ul", *rows, class_=kind)


def _tile(one: Figure) -> Markup:
    value = percent(one.value, 1) if one.form == "percent" else number(one.value)
    short = one.unit and len(one.unit) <= LONGEST_UNIT
    unit = join("\N{NO-BREAK SPACE}", tag("span", one.unit, class_="unit")) if short else ""
    meaning = "; ".join(words for words in ("" if short else one.unit, one.explanation) if words)
    return tag(
        "div",
        tag("div", one.name, class_="name"),
        tag("div", value, unit, class_="value"),
        tag("div", meaning, class_="explanation") if meaning else "",
    )
