"""Robust scaling: of order one whatever the units, never beyond 3, and deaf to outliers."""

import numpy as np
import pytest

from evenkeel.data.scale import CLIP, ColumnScale, apply_scale, fit_scale

DRAW = np.random.default_rng(0).normal(size=1001)


def reference(values, scale):
    """The formula of the docstring, in float64."""
    z = (values - scale.center) / scale.width
    return z / np.sqrt(1 + (z / 3) ** 2)


def test_median_and_interquartile_range():
    scale = fit_scale(np.array([1.0, 2.0, 3.0, 4.0, 100.0]))
    assert (scale.center, scale.width) == (3.0, 2.0)


def test_against_the_formula():
    scale = fit_scale(DRAW)
    np.testing.assert_allclose(apply_scale(DRAW, scale), reference(DRAW, scale), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("factor", [1e-12, 1e-3, 1.0, 1e3, 1e12])
@pytest.mark.parametrize("offset", [0.0, -5.0, 1e3])
def test_units_do_not_matter(factor, offset):
    plain = apply_scale(DRAW, fit_scale(DRAW))
    other = (DRAW + offset) * factor
    np.testing.assert_allclose(apply_scale(other, fit_scale(other)), plain, atol=1e-4)


@pytest.mark.parametrize(
    "values",
    [
        np.array([1.7e308, -1.7e308, 0.0, 1.0]),
        np.array([5e-324, 0.0, 1e-323, 2e-323]),
        np.array([1e300, 1.0, 2.0, 3.0]),
        np.array([1e-300, 1e300] * 3),
        np.array([3.0, 3.0, 3.0]),
        np.array([0.0, 0.0, 0.0, 0.0, 7.0]),
        np.array([1.0]),
        1e9 + np.array([0.0, 1e-9, 2e-9]),
    ],
    ids=["largest", "smallest", "outlier", "both", "constant", "mostly one", "single", "below resolution"],
)
def test_always_finite_ordered_and_within_the_clip(values):
    scaled = apply_scale(values, fit_scale(values))
    assert np.isfinite(scaled).all()
    assert (np.abs(scaled) <= CLIP).all()
    order = np.argsort(values, kind="stable")
    assert (np.diff(scaled[order]) >= 0).all()


def test_an_outlier_moves_nothing_else():
    values = DRAW.copy()
    values[0] = 1e12
    np.testing.assert_allclose(
        apply_scale(DRAW, fit_scale(values))[1:], apply_scale(DRAW, fit_scale(DRAW))[1:], atol=0.02
    )


def test_mostly_one_value_scales_by_half_the_range():
    scale = fit_scale(np.array([0.0] * 9 + [8.0]))
    assert (scale.center, scale.width) == (0.0, 4.0)


def test_missing_stays_missing_and_does_not_count():
    values = np.array([np.nan, 1.0, 2.0, 3.0, np.nan, np.inf])
    assert fit_scale(values) == fit_scale(np.array([1.0, 2.0, 3.0]))
    assert np.isnan(apply_scale(np.array([np.nan, 2.0]), fit_scale(values))).tolist() == [True, False]


@pytest.mark.parametrize("values", [np.array([]), np.array([np.nan, np.nan])])
def test_nothing_to_scale_by(values):
    assert fit_scale(values) == ColumnScale(center=0.0, width=1.0)


def test_slope_one_at_the_median():
    scale = ColumnScale(center=2.0, width=0.5)
    step = apply_scale(np.array([2.0 + 1e-3]), scale) - apply_scale(np.array([2.0 - 1e-3]), scale)
    assert step[0] == pytest.approx(2e-3 / 0.5, rel=1e-4)


def test_through_json_exactly():
    scale = fit_scale(DRAW * np.pi)
    assert ColumnScale.model_validate_json(scale.model_dump_json()) == scale
