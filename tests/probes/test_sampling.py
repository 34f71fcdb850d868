"""Which units a probe reaches."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from virtuallab.probes.sampling import (
    even_shares,
    proportional_shares,
    sample_indices,
    sample_indices_by_weight,
)

SIZES = st.dictionaries(st.text("abc", min_size=1), st.integers(1, 500), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.floats(0, 1), st.integers(0, 2**32))
def test_no_unit_is_drawn_twice(size, part, seed):
    count = round(part * size)
    found = sample_indices(size, count, np.random.default_rng(seed))
    assert len(found) == count
    assert len(set(found.tolist())) == count
    assert all(0 <= unit < size for unit in found)
    assert (np.diff(found) > 0).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 200), st.integers(0, 2**32))
def test_a_small_draw_lies_in_a_larger_one_of_the_same_stream(size, seed):
    small = sample_indices(size, size // 3, np.random.default_rng(seed))
    large = sample_indices(size, size // 2, np.random.default_rng(seed))
    assert set(small) <= set(large)


def test_every_unit_is_as_likely_as_any_other():
    stream = np.random.default_rng(0)
    counts = np.bincount(
        np.concatenate([sample_indices(10, 3, stream) for _ in range(4000)]), minlength=10
    )
    # Binomial with mean 1200 and standard deviation 29: five of them either way.
    assert np.abs(counts - 1200).max() < 145


@settings(max_examples=60, deadline=None)
@given(SIZES, st.floats(0, 1))
def test_shares_add_up_and_follow_the_sizes(sizes, part):
    everything = sum(sizes.values())
    total = round(part * everything)
    found = proportional_shares(sizes, total)
    assert sum(found.values()) == total
    for layer, size in sizes.items():
        assert abs(found[layer] - size * total / everything) < 1
        assert 0 <= found[layer] <= size


def test_shares_do_not_depend_on_the_order_of_layers():
    sizes = {"c": 7, "a": 7, "b": 7}
    assert proportional_shares(sizes, 10) == proportional_shares(dict(sorted(sizes.items())), 10)


def test_each_unit_is_drawn_in_proportion_to_its_weight_among_those_left():
    weights = np.array([1.0, 0.0, 2.0, 5.0, np.nan])
    stream = np.random.default_rng(0)
    pairs = np.array([sample_indices_by_weight(weights, 2, stream) for _ in range(20_000)])
    # First one of the pair, then the other: 5/8 * 2/3 + 2/8 * 5/6 for the last two, and so on.
    expected = {(2, 3): 5 / 12 + 5 / 24, (0, 3): 5 / 24 + 5 / 56, (0, 2): 1 / 24 + 1 / 28}
    assert abs(sum(expected.values()) - 1) < 1e-12
    for pair, share in expected.items():
        found = (pairs == pair).all(1).mean()
        assert abs(found - share) < 5 * np.sqrt(share * (1 - share) / 20_000)


def test_those_without_weight_come_last_and_in_any_order():
    weights = np.array([0.0, 3.0, 0.0, 0.0])
    stream = np.random.default_rng(1)
    pairs = [tuple(sample_indices_by_weight(weights, 2, stream)) for _ in range(200)]
    assert set(pairs) == {(0, 1), (1, 2), (1, 3)}


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 200), st.integers(0, 2**32))
def test_a_small_weighted_draw_lies_in_a_larger_one_of_the_same_stream(size, seed):
    weights = np.random.default_rng(seed + 1).random(size)
    small = sample_indices_by_weight(weights, size // 3, np.random.default_rng(seed))
    large = sample_indices_by_weight(weights, size // 2, np.random.default_rng(seed))
    assert set(small) <= set(large)
    assert (np.diff(large) > 0).all()


@settings(max_examples=60, deadline=None)
@given(SIZES, st.floats(0, 1))
def test_even_shares_add_up_and_only_small_layers_give_less(sizes, part):
    total = round(part * sum(sizes.values()))
    found = even_shares(sizes, total)
    assert sum(found.values()) == total
    assert list(found) == list(sizes)
    assert all(0 <= found[layer] <= size for layer, size in sizes.items())
    largest = max(found.values())
    assert all(found[layer] in (size, largest, largest - 1) for layer, size in sizes.items())
