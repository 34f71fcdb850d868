"""Random streams: reproducible, and different for each owner and purpose."""

from __future__ import annotations

import numpy as np
import pytest

from virtuallab import seeds

PURPOSES = {
    name: value
    for name, value in vars(seeds).items()
    if name.isupper() and not name.startswith("_") and isinstance(value, str)
}


def test_purposes_are_different_texts() -> None:
    assert len(PURPOSES) == 14
    assert len({*PURPOSES.values()}) == len(PURPOSES)


def test_streams_are_those_of_earlier_versions() -> None:
    """Stores are continued and compared to the digit, so a stream may never change."""
    assert seeds.integer(3, "sub-0001", seeds.DATA_ORDER) == 5040960545430501938
    drawn = seeds.generator(3, "sub-0001", seeds.PROBE_NOISE).integers(1000, size=5)
    assert drawn.tolist() == [278, 793, 761, 657, 68]


def test_a_substream_draws_nothing_from_its_parent_and_ignores_what_was_drawn() -> None:
    parent, untouched = (seeds.generator(1, "a", seeds.PROBE_NOISE) for _ in range(2))
    first = seeds.substream(parent, "photons").random(3)
    other = seeds.substream(parent, "order").random(3)
    np.testing.assert_array_equal(parent.random(3), untouched.random(3))
    child, same = parent.spawn(1)[0].random(3), untouched.spawn(1)[0].random(3)
    np.testing.assert_array_equal(child, same)
    np.testing.assert_array_equal(seeds.substream(parent, "photons").random(3), first)
    assert len({*first, *other, *child}) == 9
    inner = seeds.substream(parent.spawn(1)[0], "photons").random(3)
    assert not {*first} & {*inner}


def test_the_same_owner_has_the_same_stream_whatever_was_drawn_before() -> None:
    first = seeds.generator(1, "a", seeds.DROPOUT).random(3)
    seeds.generator(1, "b", seeds.DROPOUT).random(100)
    np.testing.assert_array_equal(seeds.generator(1, "a", seeds.DROPOUT).random(3), first)


@pytest.mark.parametrize(
    ("seed", "owner"),
    [(2, ("a", "x")), (1, ("b", "x")), (1, ("a", "y")), (1, ("a",)), (1, ("x", "a"))],
)
def test_seed_owner_and_purpose_each_change_the_stream(seed: int, owner: tuple[str, ...]) -> None:
    assert seeds.integer(seed, *owner) != seeds.integer(1, "a", "x")
    assert seeds.generator(seed, *owner).random() != seeds.generator(1, "a", "x").random()


def test_owners_do_not_collide_where_their_texts_join_to_the_same() -> None:
    assert seeds.integer(1, "ab", "c") != seeds.integer(1, "a", "bc")
    assert seeds.integer(1, "abc") != seeds.integer(1, "ab", "c")


def test_streams_of_many_subjects_are_all_different_and_uncorrelated() -> None:
    draws = np.stack([seeds.generator(1, f"sub-{n}", "x").standard_normal(400) for n in range(40)])
    assert len({each.tobytes() for each in draws}) == 40
    correlation = np.corrcoef(draws)[np.triu_indices(40, 1)]
    assert np.abs(correlation).max() < 5 / np.sqrt(400)


def test_an_integer_fits_in_63_bits_and_fills_them() -> None:
    found = [seeds.integer(0, str(number)) for number in range(200)]
    assert all(0 <= each < 2**63 for each in found)
    assert max(found) > 2**62, "the highest bit is used"
    assert len({*found}) == 200


def test_a_large_seed_is_taken_as_it_is() -> None:
    assert seeds.integer(2**40, "a") != seeds.integer(2**40 % 2**32, "a")
