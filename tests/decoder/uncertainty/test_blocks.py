"""Blocks of the draws of a bootstrap."""

from __future__ import annotations

import numpy as np
import pytest

from tests.decoder.diagnostics.test_metaparameters import HOW, subjects
from virtuallab.decoder.diagnostics.metaparameters import estimability
from virtuallab.decoder.pairs import Pairs
from virtuallab.decoder.uncertainty import blocks as module
from virtuallab.decoder.uncertainty.blocks import blocks
from virtuallab.decoder.uncertainty.comparison import bootstrap_means

LABELS = np.repeat(["a", "b", "c"], [10, 20, 40])


def test_the_blocks_of_any_draws_follow_one_another_and_are_small() -> None:
    for draws, entries in ((0, 3), (7, 300_000), (2_000, 700), (3, 5_000_000)):
        found = list(blocks(draws, entries))
        numbers = [number for some in found for number in range(some.start, some.stop)]
        assert numbers == list(range(draws))
        assert all((s.stop - s.start) * entries <= max(1_000_000, entries) for s in found)


@pytest.mark.parametrize("pairs", [None, np.arange(70) // 2], ids=["independent", "paired"])
def test_a_bootstrap_in_blocks_draws_the_same_samples(
    pairs: Pairs | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.random.default_rng(0).random((3, 70))
    whole = bootstrap_means(values, LABELS, 50, 1, pairs)
    monkeypatch.setattr(module, "_ENTRIES", 7 * 70)
    np.testing.assert_allclose(bootstrap_means(values, LABELS, 50, 1, pairs), whole, rtol=1e-12)


@pytest.mark.parametrize("pairs", [None, np.arange(80) // 2], ids=["independent", "paired"])
def test_the_interval_of_an_estimate_is_the_same_in_blocks(
    pairs: Pairs | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    values, rate, _ = subjects(80)
    whole = estimability(values, rate, pairs=pairs, **HOW)
    monkeypatch.setattr(module, "_ENTRIES", 7 * 80)
    assert estimability(values, rate, pairs=pairs, **HOW) == whole
