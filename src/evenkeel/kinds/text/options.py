"""Options of reading texts, and their defaults."""

from __future__ import annotations

from typing import Literal

from pydantic import Field as Option

from evenkeel.data.schema import Frozen
from evenkeel.kinds.text.schema import TextReading

VOCABULARY = {"words": 50_000, "characters": 5_000, "bytes": 256, "bpe": 2_000}


class TextOptions(Frozen):
    """How texts are read."""

    text: str | None = Option(None, description="column of text, or two for pairs: A,B; else the one of prose")
    tokens: Literal["auto", "words", "characters", "bytes", "bpe"] = Option(
        "auto", description="what a text is cut into; auto: words, and characters for generation"
    )
    vocabulary: int | None = Option(None, ge=1, description="most tokens, of bags also neighbours and runs of letters")
    ngrams: int = Option(2, ge=1, le=5, description="of bags: tokens side by side that count as one piece")
    letters: int = Option(5, ge=0, le=10, description="of bags: longest run of letters in a word; 0: none")
    longest: int = Option(512, ge=1, description="tokens kept of a text")
    window: int = Option(128, ge=4, description="of generation: tokens that are read at once")


def reading_of(options: TextOptions, net: str) -> TextReading:
    """Resolve the options for a net: an MLP reads bags, every other net reads tokens in their order."""
    unit = "words" if options.tokens == "auto" else options.tokens
    return TextReading(
        unit=unit,
        order="bag" if net in ("", "mlp") else "order",
        vocabulary=options.vocabulary or VOCABULARY[unit],
        ngrams=options.ngrams,
        letters=options.letters,
        longest=options.longest,
    )
