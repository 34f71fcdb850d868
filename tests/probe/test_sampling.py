"""Which units a probe reaches."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from virtuallab.probe.sampling import drawn, shares

SIZES = st.dictionaries(st.text("abc", min_size=1), st.integers(1, 500), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.floats(0, 1), st.integers(0, 2**32))
def test_no_unit_is_drawn_twice(size, part, seed):
    count = round(part * size)
    found = drawn(size, count, np.random.default_rng(seed))
    assert len(found) == count
    assert len(set(found.tolist())) == count
    assert all(0 <= unit < size for unit in found)
    assert (np.diff(found) > 0).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 200), st.integers(0, 2**32))
def test_a_small_draw_lies_in_a_larger_one_of_the_same_stream(size, seed):
    small = drawn(size, size // 3, np.random.default_rng(seed))
    large = drawn(size, size // 2, np.random.default_rng(seed))
    assert set(small) <= set(large)


def test_every_unit_is_as_likely_as_any_other():
    stream = np.random.default_rng(0)
    counts = np.bincount(np.concatenate([drawn(10, 3, stream) for _ in range(4000)]), minlength=10)
    # Binomial with mean 1200 and standard deviation 29: five of them either way.
    assert np.abs(counts - 1200).max() < 145


@settings(max_examples=60, deadline=None)
@given(SIZES, st.floats(0, 1))
def test_shares_add_up_and_follow_the_sizes(sizes, part):
    everything = sum(sizes.values())
    total = round(part * everything)
    found = shares(sizes, total)
    assert sum(found.values()) == total
    for layer, size in sizes.items():
        assert abs(found[layer] - size * total / everything) < 1
        assert 0 <= found[layer] <= size


def test_shares_do_not_depend_on_the_order_of_layers():
    sizes = {"c": 7, "a": 7, "b": 7}
    assert shares(sizes, 10) == shares(dict(sorted(sizes.items())), 10)
