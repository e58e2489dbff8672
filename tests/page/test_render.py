import dataclasses
import re

import pytest

from evenkeel.page import Report, Section, Sentence, render

NASTY = "<script>alert(1)</script>\"'&<!-- ]]> \x00\x1b</style></title>"


def test_every_page_obeys_the_laws(example, sound):
    page = render(example)
    root = sound(page)
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"\b(nan|NaN|None)\b", "".join(root.find("body").itertext()))


def test_no_word_of_any_record_becomes_markup(example, sound, spoiled):
    plain, page = render(example), render(spoiled(example, NASTY))
    root = sound(page)
    assert "<script" not in page and "<!-- " not in page
    assert "\x00" not in page and "\x1b" not in page
    assert "".join(root.find("head/title").itertext()).startswith("<script>alert(1)</script>")
    assert {node.tag for node in root.iter()} <= {node.tag for node in sound(plain).iter()} | {
        "{http://www.w3.org/2000/svg}title"
    }


def test_the_order_of_reading(example, sound):
    root = sound(render(example))
    order = ["data", "plan", "curves", "predictions", "importance", "baselines", "findings", "extra-1", "repeat"]
    anchors = [node.get("id") for node in root.iter("section")]
    assert anchors == [anchor for anchor in order if anchor in anchors]
    assert [node.get("href") for node in root.iter("a")] == [f"#{anchor}" for anchor in anchors]


def test_a_whole_report_has_every_section(make, sound):
    root = sound(render(make["whole"](make["regression_section"]())))
    assert len(list(root.iter("section"))) == 9


def test_what_is_not_there_is_left_out(sound):
    root = sound(render(Report(title="bare", verdict=[Sentence(text="One sentence.")])))
    assert not list(root.iter("section")) and not list(root.iter("nav")) and not list(root.iter("footer"))


def test_an_unwatched_training_says_nothing_of_findings(make, sound):
    unwatched = dataclasses.replace(make["whole"](None), findings=None)
    watched = dataclasses.replace(make["whole"](None), findings=[])
    assert "findings" not in {node.get("id") for node in sound(render(unwatched)).iter("section")}
    assert "nothing was found" in render(watched)


def test_a_further_section_shows_its_drawing_and_caption(make, sound):
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" role="img"><title>t</title></svg>'
    extra = [Section(title="A <chain>", svg=drawing, caption="a & b")]
    page = render(dataclasses.replace(make["whole"](None), extra=extra))
    sound(page)
    assert drawing in page and "A &lt;chain&gt;" in page and "a &amp; b" in page


@pytest.mark.parametrize("theme", ["prefers-color-scheme: dark", "@media print", "max-width: 36rem"])
def test_the_page_is_made_for_dark_paper_and_phone(theme):
    assert theme in render(Report(title="t", verdict=[]))


def test_the_page_as_it_was_last_approved(make, golden):
    golden("report.html", render(make["whole"](make["regression_section"]())))
