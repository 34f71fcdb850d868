"""Centres of kinds, with and without many references."""

from __future__ import annotations

import numpy as np
import pytest

from virtuallab.decoder.features.centring import Centres

PLACES = np.array([-6.0, -2.0, 1.0, 7.0])  # of four kinds
KINDS = np.repeat(["a", "b", "c", "d"], 200)


def drawn(seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((800, 2))
    return noise * [1.0, 3.0] + np.repeat(PLACES, 200)[:, None] * [1.0, 0.0]


def test_centres_and_spreads_are_estimated() -> None:
    found = Centres.of(drawn(), KINDS)
    assert found.overall == pytest.approx([0, 0], abs=0.3)
    assert found.between == pytest.approx([PLACES.var(ddof=1), 0], rel=0.1, abs=0.1)
    assert found.within == pytest.approx([1, 9], rel=0.15)


def test_many_references_give_their_median_and_few_move_it_little() -> None:
    centres = Centres.of(drawn(), KINDS)
    place = np.array([20.0, 20.0])
    rows = place + np.random.default_rng(1).standard_normal((1_000, 2))
    many = centres.centre(rows)
    assert many[0] == pytest.approx(20, abs=0.2)
    # Kinds do not differ in the second column, so that nothing of references is believed there.
    assert many[1] == pytest.approx(0, abs=1)
    weak = Centres(centres.overall, np.array([0.5, 0.5]), centres.within)
    one, ten = (weak.centre(np.tile(place, (count, 1))) for count in (1, 10))
    expected = centres.overall + (place - centres.overall) * 0.5 / (
        0.5 + np.pi / 2 * centres.within / np.array([[1], [10]])
    )
    assert one == pytest.approx(expected[0])
    assert ten == pytest.approx(expected[1])


def test_no_reference_gives_the_centre_of_all_kinds() -> None:
    centres = Centres.of(drawn(), KINDS)
    np.testing.assert_array_equal(centres.centre(np.empty((0, 2))), centres.overall)
    np.testing.assert_array_equal(centres.centre(np.full((3, 2), np.nan)), centres.overall)


def test_what_is_not_finite_is_left_out() -> None:
    values = drawn()
    values[::7] = [np.nan, np.inf]
    rest = np.isfinite(values).all(1)
    found, expected = Centres.of(values, KINDS), Centres.of(values[rest], KINDS[rest])
    for name in ("overall", "between", "within"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    missing = np.c_[drawn(), np.full(800, np.nan)]
    centred = Centres.of(missing, KINDS).centred(missing, KINDS)
    assert np.isnan(centred[:, 2]).all()
    assert np.isfinite(centred[:, :2]).all()


def test_kinds_are_moved_onto_each_other() -> None:
    centred = Centres.of(drawn(), KINDS).centred(drawn(), KINDS)
    medians = [np.median(centred[kind == KINDS, 0]) for kind in "abcd"]
    assert medians == pytest.approx([0] * 4, abs=0.05)


def test_one_kind_has_no_spread_of_kinds() -> None:
    values = drawn()[:200]
    found = Centres.of(values, KINDS[:200])
    assert found.between.tolist() == [0, 0]
    np.testing.assert_array_equal(found.centre(values + 5), found.overall)


def test_values_are_relative_to_references_of_their_kind() -> None:
    values = drawn()
    centres = Centres.of(values, KINDS)
    kinds = np.array(["b", "none", "b"])
    found = centres.relative(values[:3], kinds, values, KINDS)
    own = centres.centre(values[KINDS == "b"])
    np.testing.assert_array_equal(found, values[:3] - np.array([own, centres.overall, own]))
