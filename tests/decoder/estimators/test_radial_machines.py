"""Radial support vector machines of each class against the rest, from one kernel matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC

from tests.decoder.drawn import drawn
from virtuallab.decoder.estimators import radial_machines
from virtuallab.decoder.estimators.radial_machines import (
    decision_values,
    fit_radial_machines,
    radial_kernel,
)


def _alike(one: Any, other: Any) -> bool:
    """Return whether two attributes are equal to the last bit, with one type and order."""
    if isinstance(one, np.ndarray):
        order = one.flags.c_contiguous == other.flags.c_contiguous
        return order and one.dtype == other.dtype and np.array_equal(one, other)
    return bool(one == other)


def _assert_alike(one: OneVsRestClassifier, other: OneVsRestClassifier) -> None:
    assert vars(one).keys() == vars(other).keys()
    assert len(one.estimators_) == len(other.estimators_)
    for mine, theirs in zip(one.estimators_, other.estimators_, strict=True):
        assert vars(mine).keys() == vars(theirs).keys()
        different = [n for n in vars(mine) if not _alike(vars(mine)[n], vars(theirs)[n])]
        assert different == []


@pytest.mark.parametrize("rules", [2, 3])
@pytest.mark.parametrize("cost", [0.1, 10.0])
def test_the_machines_are_those_of_scikit_learn_to_the_last_bit(rules: int, cost: float) -> None:
    known, other = drawn(30, rules=rules), drawn(9, seed=1, rules=rules)
    wanted = OneVsRestClassifier(SVC(C=cost, random_state=3)).fit(known.values, known.labels)
    found = fit_radial_machines(known.values, known.labels, cost=cost, random_state=3)
    _assert_alike(found, wanted)
    np.testing.assert_array_equal(
        found.decision_function(other.values), wanted.decision_function(other.values)
    )
    # Some processors round a product and a sum once, not twice.
    np.testing.assert_allclose(
        decision_values(found, other.values).reshape(len(other.values), -1),
        wanted.decision_function(other.values).reshape(len(other.values), -1),
        rtol=1e-12,
        atol=1e-12,
    )
    assert found.predict(other.values).tolist() == wanted.predict(other.values).tolist()


def test_the_machines_of_many_samples_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    known = drawn(12)
    few = fit_radial_machines(known.values, known.labels, cost=1.0, random_state=0)
    monkeypatch.setattr(radial_machines, "_MOST_SAMPLES", len(known.labels) - 1)
    monkeypatch.setattr(radial_machines, "radial_kernel", None)  # it would need too much memory
    many = fit_radial_machines(known.values, known.labels, cost=1.0, random_state=0)
    _assert_alike(few, many)


def test_samples_that_are_all_alike_have_machines() -> None:
    values, labels = np.ones((6, 3)), np.array(["a", "b", "c"] * 2)
    found = fit_radial_machines(values, labels, cost=1.0, random_state=0)
    _assert_alike(found, OneVsRestClassifier(SVC(C=1.0, random_state=0)).fit(values, labels))


def test_the_kernel_is_the_exponential_of_squared_distances() -> None:
    values = drawn(5).values
    distance = ((values[:, None] - values) ** 2).sum(-1)
    np.testing.assert_allclose(radial_kernel(values, 0.3), np.exp(-0.3 * distance), rtol=1e-10)
