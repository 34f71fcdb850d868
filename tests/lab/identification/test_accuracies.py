"""Accuracies of a decoder on held-out kinds, as its metadata keep them."""

from __future__ import annotations

import numpy as np
import pytest

from virtuallab.decoder.schemes.cross_validation import HeldOutGroup
from virtuallab.lab.identification.accuracies import kind_accuracies


def test_each_choice_of_references_has_an_accuracy_with_the_interval_of_its_clusters() -> None:
    counts = np.array([[30.0, 10.0], [20.0, 20.0]])
    results = {"none": HeldOutGroup(counts, 1.0), "all rules": HeldOutGroup(counts, 9.0)}
    narrow, wide = kind_accuracies(results, 0.95)
    assert (narrow.references, wide.references) == ("none", "all rules")
    assert narrow.accuracy == wide.accuracy == pytest.approx((0.75 + 0.5) / 2)
    assert wide.interval[0] < narrow.interval[0] < 0.625 < narrow.interval[1] < wide.interval[1]
