from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from evenkeel.report.pictures import pictures
from evenkeel.run.fit import fit
from evenkeel.run.run import load

GENERATOR = np.random.default_rng(0)
LABELS = np.arange(60) % 2
IMAGES = (GENERATOR.uniform(0, 90, (60, 8, 8)) + 150 * (LABELS[:, None, None] * np.eye(8))).astype(np.uint8)
STEPS = GENERATOR.normal(size=(60, 12, 2)).astype(np.float32) + LABELS[:, None, None]
WORDS = np.where(LABELS, "a good and lively film", "a bad and dreary film").tolist()
HOURS = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 13), "1h", eager=True)
LOAD = pl.DataFrame({"time": HOURS, "load": np.sin(np.arange(len(HOURS)) / 4) + 5, "heat": np.arange(len(HOURS)) % 7.0})
CYCLES = [
    (np.ones((4 + label, 1), np.float32), np.array([[i, (i + 1) % (4 + label)] for i in range(4 + label)]).T)
    for label in LABELS
]
TINY = {"updates": 4, "width": 8, "depth": 1}

CASES = {
    "image": ((IMAGES, LABELS), {}, "Test images", "<image"),
    "sequence": ((STEPS, LABELS), {}, "Sequences", "<path"),
    "text": ((WORDS, LABELS), {}, "Texts of the test part", "film"),
    "series": (LOAD, {"kind": "series", "settings": {**TINY, "horizon": 4, "window": 12}}, "Forecasts", "<svg"),
    "graph": ((CYCLES, LABELS), {}, "Graphs", "<circle"),
}


def pictures_of(run):
    return pictures(run.record, run.network, run.sample)


@pytest.mark.parametrize("kind", CASES)
def test_each_kind_shows_its_examples_and_still_does_when_it_is_loaded(kind, tmp_path):
    data, options, title, mark = CASES[kind]
    run = fit(data, progress=False, out=tmp_path / "run", **{"settings": TINY, **options})
    assert run.kind.name == kind
    (section,) = pictures_of(run)
    assert title in section.title and mark in section.svg + section.text
    assert pictures_of(load(tmp_path / "run")) == [section]
    page = (tmp_path / "run" / "report.html").read_text()
    ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
    assert section.title in page and "http" not in page.replace("http://www.w3.org", "")


def test_new_images_of_a_latent_head():
    run = fit(IMAGES, kind="image", task="generation", progress=False, settings=TINY)
    (section,) = pictures_of(run)
    assert section.svg.count("<image") == 24 and section.caption.startswith("Decoded from codes")
    assert run.draw(3).shape == (3, 8, 8, 1) and run.draw(2).dtype == np.uint8
    assert np.array_equal(run.draw(2, seed=1), run.draw(2, seed=1))
    between = run.interpolate(IMAGES[:1], IMAGES[1:2], steps=5)
    assert np.array_equal(between[[0, -1]], run.predict(IMAGES[:2])), "the ends are what the codes of both decode to"


def test_a_table_has_no_picture_of_a_row():
    table = pl.DataFrame({"x": np.sin(np.arange(60.0)), "y": np.arange(60.0)})
    run = fit(table, target="y", progress=False, settings={**TINY, "members": 2})
    assert pictures_of(run) == []
