import numpy as np
import pytest

from tests.reporting.synthetic import ARCHITECTURES, RULES
from virtuallab.reporting.results.subjects import (
    by_architecture_and_task,
    count_by_rule,
    not_shown,
)
from virtuallab.vocabulary import DIVERGED, DONE


def test_every_subject_is_counted_once(tree):
    subjects = tree["subjects"].to_dataset()
    found = count_by_rule(tree, RULES)
    status = subjects["status"].to_numpy()
    assert sum(count.done for count in found) == (status == DONE).sum()
    assert sum(count.diverged for count in found) == (status == DIVERGED).sum()
    assert all(f.total == f.done + f.diverged + f.failed + f.pending for f in found)


def test_the_final_accuracy_is_that_of_the_subjects_that_are_done(tree):
    subjects = tree["subjects"].to_dataset()
    (count,) = count_by_rule(tree, ["adam"])
    done = ((subjects["rule"] == "adam") & (subjects["status"] == DONE)).to_numpy()
    last = tree["truth/validation_performance"].to_numpy()[done, -1]
    assert count.performance == pytest.approx(tuple(np.percentile(last, (25, 50, 75))))


def test_subjects_are_grouped_by_architecture_and_task(tree):
    found = by_architecture_and_task(tree["subjects"].to_dataset())
    assert list(found) == [(name, "digits") for name in ARCHITECTURES]
    np.testing.assert_array_equal(sum(found.values()), 1)


def test_subjects_that_a_figure_leaves_out_are_counted():
    assert not_shown(np.array([True, True])) == ""
    assert not_shown(np.array([True, False])).startswith(" Left out: 1 subject that diverged")
