import numpy as np
import pytest
from sklearn.decomposition import PCA

from evenkeel.errors import ShapeError
from evenkeel.page import embeddings as _embeddings
from evenkeel.page.embeddings import embedding_section, plane


def test_the_plane_is_that_of_principal_components():
    points = np.random.default_rng(0).normal(size=(40, 5)) * [5, 3, 1, 1, 0.5]
    flat, share = plane(points)
    model = PCA(2).fit(points)
    np.testing.assert_allclose(np.abs(flat), np.abs(model.transform(points)), atol=1e-9)
    assert share == pytest.approx(model.explained_variance_ratio_.sum())


@pytest.mark.parametrize("units", [1, 2])
def test_few_units_and_points_that_coincide(units):
    flat, share = plane(np.ones((4, units)))
    assert flat.shape == (4, 2) and share == 1.0
    assert embedding_section(np.ones((4, units))).svg.startswith("<svg")


def test_a_pair_is_two_dots_and_a_line():
    section = embedding_section(np.random.default_rng(0).normal(size=(7, 2, 4)), sides=("picture", "caption"))
    marks, lines = section.svg.count("<circle"), section.svg.count("M")
    assert marks == 14 + 2 and lines >= 7
    assert ">picture<" in section.svg and ">caption<" in section.svg
    assert "7 test rows in the plane of largest variance" in section.caption and "joins a pair" in section.caption


def test_the_largest_groups_have_colours_and_the_rest_one_together():
    names = [f"group {place}" for place in range(9) for _ in range(10 - place)]
    section = embedding_section(np.random.default_rng(0).normal(size=(len(names), 3)), names)
    assert all(f">group {place}<" in section.svg for place in range(6))
    assert ">group 6<" not in section.svg and ">3 others<" in section.svg


def test_many_rows_are_thinned_and_gaps_left_out(monkeypatch):
    monkeypatch.setattr(_embeddings, "MOST_POINTS", 10)
    points = np.random.default_rng(0).normal(size=(30, 3))
    points[4, 0] = np.nan
    section = embedding_section(points)
    assert section.svg.count("<circle") == 10 and "10 of 30 test rows" in section.caption
    assert embedding_section(points[:2]) is None
    assert embedding_section(np.full((5, 2), np.inf)) is None


def test_other_shapes_are_refused():
    with pytest.raises(ShapeError, match=r"embeddings must be \(row, unit\), or \(row, 2, unit\) of pairs, got \(5,\)"):
        embedding_section(np.ones(5))
    with pytest.raises(ShapeError, match=r"got \(5, 3, 2\)"):
        embedding_section(np.ones((5, 3, 2)))
    with pytest.raises(ShapeError, match="expected one group a row, got 2 for 5 rows"):
        embedding_section(np.ones((5, 2)), ["a", "b"])
