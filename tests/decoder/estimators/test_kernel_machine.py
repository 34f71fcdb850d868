"""Support vector machines of each class against the rest, with scores that sum to 1."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.svm import SVC

from tests.decoder.contract import failed_checks
from tests.decoder.drawn import RULES, drawn
from virtuallab.decoder.estimators.kernel_machine import KernelMachine


@pytest.mark.filterwarnings("ignore:Can't check dok sparse matrix")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.usefixtures("own_random_streams")
def test_it_passes_the_estimator_checks_of_scikit_learn() -> None:
    assert failed_checks(KernelMachine()) == []


def test_the_ratio_of_two_scores_is_that_of_exponentiated_decision_values() -> None:
    known, other = drawn(15), drawn(4, seed=1)
    machine = KernelMachine().fit(known.values, known.labels)
    scores = machine.predict_proba(other.values)
    assert machine.classes_.tolist() == RULES
    np.testing.assert_allclose(scores.sum(1), 1)
    decisions = [
        SVC(C=10.0, random_state=0)
        .fit(known.values, known.labels == rule)
        .decision_function(other.values)
        for rule in RULES
    ]
    np.testing.assert_allclose(
        np.log(scores[:, 0] / scores[:, 1]), decisions[0] - decisions[1], atol=1e-9
    )


def test_two_classes_have_scores_of_opposite_decision_values() -> None:
    known = drawn(15, rules=2)
    machine = KernelMachine().fit(known.values, known.labels)
    decision = (
        SVC(C=10.0, random_state=0).fit(known.values, known.labels).decision_function(known.values)
    )
    expected = 1 / (1 + np.exp(-2 * decision))
    np.testing.assert_allclose(machine.predict_proba(known.values)[:, 1], expected)


def test_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match="only one class"):
        KernelMachine().fit(np.eye(4), np.array(["a"] * 4))
