import re

import pytest

from evenkeel.page.style import STYLE
from evenkeel.svg import marks

COLOURS = re.findall(r"(--ek-[a-z0-9-]+):\s*(#[0-9a-f]{6})", STYLE)
LIGHT, DARK = (dict(half) for half in (COLOURS[: len(COLOURS) // 2], COLOURS[len(COLOURS) // 2 :]))


def luminance(colour):
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first, second):
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_both_themes_define_the_same_colours():
    assert set(LIGHT) == set(DARK) and len(LIGHT) >= 15
    used = re.findall(r"var\((--ek-[a-z0-9-]+)", STYLE + "".join([*marks.SERIES, marks.INK, marks.MUTED, marks.BAD]))
    assert set(used) - {"--ek-font", "--ek-mono"} <= set(LIGHT)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_words_and_strokes_stand_out_from_the_page(theme):
    for name in ("ink", "muted", "good", "note", "bad"):  # 4.5 : 1 is what WCAG 2.2 AA asks for text, 3 : 1 for strokes
        assert contrast(theme[f"--ek-{name}"], theme["--ek-page"]) >= 4.5, name
    for index in range(1, 7):
        assert contrast(theme[f"--ek-series-{index}"], theme["--ek-page"]) >= 3.0, index


def test_braces_are_balanced_and_nothing_is_fetched():
    assert STYLE.count("{") == STYLE.count("}")
    assert not re.search(r"url\(|@import|</", STYLE)
