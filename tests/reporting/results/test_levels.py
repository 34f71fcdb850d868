"""Accuracies at coarser levels, read from a store."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.reporting.synthetic import experiment
from tests.reporting.tables.test_verdict import printed
from virtuallab.decoder.uncertainty.intervals import interval
from virtuallab.reporting import experiment_page
from virtuallab.reporting.results.analyses import analyses
from virtuallab.reporting.style import pretty

ERROR = {
    "name": "error return",
    "question": "How does the error return?",
    "groups": {"adam": "forward weights", "sgdm": "forward weights"},
}
ALIKE = {"name": "objective", "question": "Which objective?", "groups": dict.fromkeys("ab", "x")}


@pytest.fixture
def tree():
    made = experiment(classifiers=("random_forest",), published=True)
    for name in ("main", "as_published"):
        node = made[f"decoding/{name}"].to_dataset()
        levels = json.dumps([ERROR, ALIKE])
        made[f"decoding/{name}"] = node.assign_attrs(levels=levels, confidence=0.9, repeats=5)
    return made


def test_the_accuracy_of_a_level_is_that_of_its_confusion_matrix(tree):
    main, published = analyses(tree)
    [found] = main.best.levels
    assert list(found.groups) == ["forward weights", "feedback_alignment", "information_alignment"]
    assert found.chance == 1 / 3
    fine = main.dataset["confusion"].sel(main.best.cell).to_numpy()
    groups = [[0, 3], [1], [2]]
    counts = np.array([[fine[np.ix_(true, said)].sum() for said in groups] for true in groups])
    assert found.accuracy.value == pytest.approx(np.mean(np.diag(counts) / counts.sum(1)))
    bounds = interval(counts, 0.9, repeats=5)
    assert (found.accuracy.low, found.accuracy.high) == pytest.approx(bounds)
    assert found.accuracy.value > main.best.accuracy.value
    assert published.best.levels == ()


def test_levels_are_above_the_rules_in_the_terminal(tree):
    text = printed(tree)
    assert max(map(len, text.splitlines())) <= 80
    level, rule, table = (
        text.index(words)
        for words in ("How does the error return?", "Which rule?", "balanced accuracy of")
    )
    assert level < rule < table
    assert "Which objective?" not in text
    [found] = analyses(tree)[0].best.levels
    assert f"3  {found.accuracy}    0.33" in text


def test_levels_are_above_the_rules_in_the_report(tree):
    page = experiment_page(tree)
    assert page.index("Coarser questions: main") < page.index("Accuracy by probe")
    [found] = analyses(tree)[0].best.levels
    assert found.members.startswith(f"forward weights: {pretty('adam')} and {pretty('sgdm')}; ")
    assert found.members in page


def test_without_stored_levels_nothing_is_added():
    assert "How does" not in printed(experiment())
    assert "Coarser questions" not in experiment_page(experiment())
