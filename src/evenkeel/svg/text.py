"""Words and numbers as they are written on plots and pages: escaped, short, and aligned.

Numbers use a real minus sign, commas between thousands and superscript powers of ten, so that a column of them reads
well in any font. What is not a finite number is written as a dash or an infinity sign, never as `nan`.
"""

import html
import re
import unicodedata

import numpy as np

NumberLike = int | float | np.integer | np.floating

MINUS = "\N{MINUS SIGN}"
MISSING = "\N{EN DASH}"
SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")  # XML 1.0 forbids most of these

CHARACTER_WIDTH = 0.61  # em, lower-case letters and digits in the widest of the common sans-serif fonts
NARROW, NARROW_WIDTH = frozenset(" .,:;|!'iljtfI()[]"), 0.35  # em
BROAD, BROAD_WIDTH = frozenset("mwMW@%_ABCDEFGHKNOPQRUVXYZ"), 0.79  # em
FULL_WIDTH = 1.0  # em, East Asian characters and emoji


def escape(words: object) -> str:
    """A text made harmless inside HTML or SVG, as content and as a quoted attribute; control characters are dropped.

    Example:
        >>> escape('<script> & "more"')
        '&lt;script&gt; &amp; &quot;more&quot;'

    """
    return html.escape(NOT_XML.sub("", str(words)), quote=True)


def number(value: NumberLike | None, digits: int = 3) -> str:
    """A number at `digits` significant digits, written out from 0.0001 up to 10¹².

    Example:
        >>> [number(value) for value in (0.51234, -12, 48211.7, 3.2e-7, float("nan"))]
        ['0.512', '−12', '48,212', '3.20×10⁻⁷', '–']

    """
    if value is None or np.isnan(float(value)):
        return MISSING
    if np.isinf(float(value)):
        return "∞" if value > 0 else f"{MINUS}∞"
    size = abs(float(value))
    if isinstance(value, int | np.integer) and size < 1e12:
        written = f"{value:,}"
    elif size != 0 and not 1e-4 <= size < 1e12:
        return scientific(float(value), digits - 1)
    else:
        whole = 1 if size < 1 else int(np.floor(np.log10(size))) + 1
        leading_zeros = 0 if size >= 1 or size == 0 else -int(np.floor(np.log10(size))) - 1
        written = f"{value:,.{max(0, digits - whole + leading_zeros + (size < 1))}f}"
    return written.replace("-", MINUS)


def scientific(value: NumberLike, decimals: int) -> str:
    """A number as a power of ten: `3.2×10⁻⁷`.

    Example:
        >>> scientific(5e20, 0)
        '5×10²⁰'

    """
    mantissa, exponent = f"{value:.{decimals}e}".split("e")
    return f"{mantissa}×10{str(int(exponent)).translate(SUPERSCRIPT)}".replace("-", MINUS)


def percent(share: NumberLike | None, decimals: int = 0) -> str:
    """A share of one as a percentage, with the thin space that belongs before the sign.

    Example:
        >>> percent(0.8571, 1)
        '85.7\u202f%'

    """
    if share is None or not np.isfinite(share):
        return MISSING
    return f"{100 * share:.{decimals}f}\N{NARROW NO-BREAK SPACE}%".replace("-", MINUS)


def text_width(words: str, size: NumberLike) -> float:
    """About how wide a text is in pixels at a font size in pixels; no font is measured, so leave a little room.

    Example:
        >>> text_width("loss", 12) < text_width("validation loss", 12)
        True

    """
    return float(size) * sum(map(_character_width, words), 0.0)


def _character_width(character: str) -> float:
    if character in NARROW:
        return NARROW_WIDTH
    if character in BROAD:
        return BROAD_WIDTH
    wide = unicodedata.east_asian_width(character) in ("W", "F")
    return FULL_WIDTH if wide else CHARACTER_WIDTH


def shorten(words: str, size: NumberLike, room: NumberLike) -> str:
    """A text cut to `room` pixels with an ellipsis at its end, or as it is where it fits.

    Example:
        >>> shorten("total_sulfur_dioxide", 12, 70)
        'total_sulf…'

    """
    if text_width(words, size) <= room:
        return words
    kept = words
    while kept and text_width(kept + "…", size) > room:
        kept = kept[:-1]
    return kept.rstrip() + "…"
