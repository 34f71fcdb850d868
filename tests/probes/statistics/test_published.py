"""The published statistics against an independent, slow definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from virtuallab.probes.statistics.published import (
    ADMISSIBLE,
    FUNCTIONS,
    KERNELS,
    OBSERVABLE_OF,
    PUBLISHED_STATISTICS,
    mean_over_images,
    nearest_rank,
    summary_statistics,
)

REFERENCE = {  # of (-2, -0.5, 0, 1, 3, 4): mean, var, median, thirdquartile, skew, kurtosis, norm
    "raw": (0.916667, 4.201389, 1, 3, -0.121967, 1.759249, 5.5),
    "abs": (1.75, 1.979167, 2, 3, -0.533114, 1.710914, 5.5),
    "sq": (5.041667, 33.592014, 4, 9, 0.539178, 2.379012, 18.816549),
}
ORDER = ("mean", "var", "median", "thirdquartile", "skew", "kurtosis", "norm")
APPLIED = {"raw": float, "abs": abs, "sq": lambda z: z * z}


def quantile(ordered_down: list[float], percent: float) -> float:
    return ordered_down[round((len(ordered_down) - 1) * (1 - percent / 100))]


def slowly(entries: list[float]) -> dict[str, float]:
    """The seven statistics of a set, one entry at a time."""
    n = len(entries)
    down = sorted(entries, reverse=True)
    mean = math.fsum(entries) / n
    var = math.fsum((z - mean) ** 2 for z in entries) / n
    median = quantile(down, 50)
    return {
        "mean": mean,
        "var": var,
        "median": median,
        "thirdquartile": quantile(down, 75),
        "skew": 3 * (mean - median) / math.sqrt(var),
        "kurtosis": math.fsum((z - mean) ** 4 for z in entries) / n / var**2,
        "norm": math.sqrt(math.fsum(z * z for z in entries)),
    }


def test_names_are_the_published_ones_in_the_published_order():
    assert len(PUBLISHED_STATISTICS) == 45
    assert PUBLISHED_STATISTICS[:8] == (
        "weightabs_kurtosis",
        "weightabs_mean",
        "weightabs_median",
        "weightabs_norm",
        "weightabs_skew",
        "weightabs_thirdquartile",
        "weightabs_var",
        "weightraw_kurtosis",
    )
    assert PUBLISHED_STATISTICS[21] == "actabs_kurtosis"
    assert PUBLISHED_STATISTICS[-3:] == ("gradavgabs_id", "gradavgraw_id", "gradavgsq_id")


def test_the_classifiers_of_the_publication_saw_24_of_them():
    counts = {"weights": 13, "activity": 8, "activity_change": 3}
    found = [OBSERVABLE_OF[name] for name in ADMISSIBLE]
    assert {name: found.count(name) for name in counts} == counts
    dropped = {"weightsq_norm", "weightsq_var", "actabs_var", "actsq_mean", "actraw_skew"}
    assert not dropped & set(ADMISSIBLE)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_reference_vector_gives_the_reference_values(function):
    found = summary_statistics(np.array([-2, -0.5, 0, 1, 3, 4]))
    values = [float(found[f"{function}_{kernel}"]) for kernel in ORDER]
    assert values == pytest.approx(REFERENCE[function], abs=6e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("entries", [2, 3, 4, 5, 6, 7, 10, 101, 400])
@pytest.mark.parametrize("rectify", [False, True])
def test_each_statistic_is_its_definition(entries, rectify, dtype):
    values = np.random.default_rng(entries).standard_normal((2, 3, entries)).astype(dtype)
    if rectify:
        values = np.maximum(values, 0)
        values[..., 0] = 1  # a set of zeros alone has no skew
        values[..., 1] = 2
    found = summary_statistics(values)
    for place in np.ndindex(2, 3):
        for function in FUNCTIONS:
            wanted = slowly([APPLIED[function](float(z)) for z in values[place]])
            for kernel in KERNELS:
                got = float(found[f"{function}_{kernel}"][place])
                assert got == pytest.approx(wanted[kernel], rel=1e-9, abs=1e-12), (function, kernel)


@pytest.mark.parametrize(("entries", "median"), [(2, 1), (4, 1), (6, 3), (5, 2), (8, 3)])
def test_between_two_middle_values_the_published_one_is_taken(entries, median):
    assert nearest_rank(entries, 50) == median


def test_statistics_that_are_powers_of_one_another_agree():
    values = np.random.default_rng(1).standard_normal((4, 50))
    found = summary_statistics(values)
    np.testing.assert_array_equal(found["raw_norm"], found["abs_norm"])
    np.testing.assert_array_equal(found["sq_median"], found["abs_median"] ** 2)
    np.testing.assert_array_equal(found["sq_thirdquartile"], found["abs_thirdquartile"] ** 2)
    np.testing.assert_allclose(found["sq_mean"], found["raw_norm"] ** 2 / 50)
    for function in ("raw", "abs"):
        np.testing.assert_allclose(
            found[f"{function}_var"], found["sq_mean"] - found[f"{function}_mean"] ** 2
        )


@settings(max_examples=40, deadline=None)
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 3), st.integers(2, 20)),
        elements=st.floats(-1000, 1000, width=32),
    ),
    st.randoms(use_true_random=False),
)
def test_statistics_do_not_depend_on_the_order_of_units(values, random):
    order = list(range(values.shape[1]))
    random.shuffle(order)
    before, after = summary_statistics(values), summary_statistics(values[:, order])
    for name in before:
        if not name.endswith(("skew", "kurtosis")):  # ratios to a spread that may be rounding
            np.testing.assert_allclose(after[name], before[name], rtol=1e-9, atol=1e-6)


def test_a_set_computed_alone_and_among_many_is_the_same():
    values = np.random.default_rng(2).standard_normal((300, 900)).astype(np.float32)
    together = summary_statistics(values)
    alone = summary_statistics(values[217])
    for name in alone:
        np.testing.assert_allclose(together[name][217], alone[name], rtol=1e-12)


def test_a_spread_far_from_zero_is_not_lost():
    found = summary_statistics(1e4 + np.array([-1.0, 0.0, 0.0, 1.0, 2.0]))
    near = summary_statistics(np.array([-1.0, 0.0, 0.0, 1.0, 2.0]))
    for kernel in ("var", "skew", "kurtosis"):
        assert float(found[f"raw_{kernel}"]) == pytest.approx(
            float(near[f"raw_{kernel}"]), rel=1e-9
        )


@pytest.mark.parametrize("constant", [0.0, 0.1, -3.7e8])
def test_a_constant_set_has_no_shape(constant):
    found = summary_statistics(np.full((2, 33), constant, dtype=np.float32))
    for function in FUNCTIONS:
        assert np.isnan(found[f"{function}_skew"]).all()
        assert np.isnan(found[f"{function}_kurtosis"]).all()
    np.testing.assert_allclose(found["raw_mean"], np.float32(constant), rtol=1e-12)


def test_images_for_which_a_statistic_is_not_defined_do_not_count():
    values = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(mean_over_images(values), [2.0, np.nan])
