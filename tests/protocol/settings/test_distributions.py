from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtuallab.protocol.settings.distributions import Choice, LogUniform, Uniform

seeds = st.integers(0, 2**32 - 1)
positive = st.floats(1e-6, 1e6)


@given(seeds, positive, positive)
def test_a_draw_lies_within_its_bounds(seed: int, one: float, other: float) -> None:
    low, high = sorted((one, other))
    stream = np.random.default_rng(seed)
    for distribution in (LogUniform(low, high), Uniform(low, high)):
        assert low <= distribution.draw(stream) <= high


@given(seeds, st.integers(1, 100), st.integers(1, 100))
def test_whole_bounds_give_whole_numbers(seed: int, one: int, other: int) -> None:
    low, high = sorted((one, other))
    stream = np.random.default_rng(seed)
    for distribution in (LogUniform(low, high), Uniform(low, high)):
        value = distribution.draw(stream)
        assert isinstance(value, int)
        assert low <= value <= high


def test_every_decade_of_a_log_uniform_is_as_likely() -> None:
    stream = np.random.default_rng(0)
    drawn = np.array([LogUniform(1e-3, 1.0).draw(stream) for _ in range(3000)])
    counts = np.histogram(np.log10(drawn), bins=[-3, -2, -1, 0])[0]
    # 1000 expected in each; five standard deviations of a binomial are 129.
    assert np.abs(counts - 1000).max() < 130


def test_a_uniform_draw_is_uniform() -> None:
    stream = np.random.default_rng(0)
    drawn = np.array([Uniform(2.0, 4.0).draw(stream) for _ in range(3000)])
    assert drawn.mean() == pytest.approx(3.0, abs=0.06)  # five standard errors are 0.053
    assert drawn.min() < 2.01
    assert drawn.max() > 3.99


def test_a_choice_draws_all_its_values() -> None:
    stream = np.random.default_rng(0)
    assert {Choice(("a", "b", "c")).draw(stream) for _ in range(100)} == {"a", "b", "c"}


def test_a_drawn_number_can_be_read() -> None:
    value = LogUniform(1e-3, 1e-1).draw(np.random.default_rng(0))
    assert value == float(f"{value:.6g}")
