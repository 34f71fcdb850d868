"""The strict scheme: the variables of its result, their number of steps, and what may be absent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from virtuallab.decoder import Analysis
from virtuallab.decoder.controls import strict_controls
from virtuallab.decoder.schemes.strict import evaluate, n_steps
from virtuallab.decoder.task import DecodingTask
from virtuallab.testing.planted import RULES, planted_task


def small_task() -> DecodingTask:
    """Three rules that differ, of two architectures."""
    task = planted_task(each=10, apart=2.0, seed=0)
    of = task.features.assign_coords(architecture=("subject", np.resize(["cnn", "mlp"], 30)))
    return replace(task, features=of, analysis=replace(task.analysis, hold_out="architecture"))


@pytest.fixture(scope="module")
def counted() -> tuple[xr.Dataset, int]:
    """Result of a task, and the number of its steps."""
    steps: list[None] = []
    found = evaluate(small_task(), None, step=lambda: steps.append(None))
    return found, len(steps)


def test_the_steps_are_folds_further_draws_controls_and_five_diagnostics(
    counted: tuple[xr.Dataset, int],
) -> None:
    assert counted[1] == n_steps(small_task().analysis) == 3 + 0 + len(strict_controls()) + 5
    analysis = Analysis(folds=5, repeats=4)
    assert n_steps(analysis) == 5 + 3 + len(strict_controls()) + 5


def test_accuracy_coverage_and_brier_score_follow_from_the_stored_predictions(
    counted: tuple[xr.Dataset, int],
) -> None:
    found, task = counted[0], small_task()
    probability = found["probability"].values
    truth = np.searchsorted(RULES, task.labels)
    np.testing.assert_allclose(probability.sum(1), 1)
    exact = ((probability - np.eye(3)[truth]) ** 2).sum(1).mean()
    assert found["brier"].item() == pytest.approx(exact)
    sets = found["p_value"].values > 1 - task.analysis.coverage
    assert found["coverage"].item() == sets[np.arange(30), truth].mean()
    assert found["set_size"].item() == sets.sum(1).mean()
    assert found["empty_sets"].item() == (~sets.any(1)).mean()
    confusion = found["confusion"].values
    np.testing.assert_array_equal(confusion.sum(1), 10)
    assert found["balanced_accuracy"].item() == pytest.approx(np.trace(confusion) / 30)
    assert found["balanced_accuracy"].item() > 0.7


def test_the_reliability_has_ten_bins_that_hold_every_subject(
    counted: tuple[xr.Dataset, int],
) -> None:
    found = counted[0]
    assert found.sizes["bin"] == 10
    assert np.nansum(found["reliability_count"]) == 30
    filled = np.isfinite(found["reliability_count"])
    np.testing.assert_array_equal(np.isfinite(found["reliability_stated"]), filled)


def test_results_carry_the_names_of_subjects_groups_and_controls(
    counted: tuple[xr.Dataset, int],
) -> None:
    found = counted[0]
    names = small_task().features["subject"].values.tolist()
    assert found["subject"].values.tolist() == names
    assert found["held_out"].values.tolist() == ["architecture: cnn", "architecture: mlp"]
    assert (found["held_out_accuracy"] > 0.6).all()
    assert found["control"].values.tolist() == list(strict_controls())
    assert found["left_out_auroc"].sizes == {"true_rule": 3}


def test_a_table_of_two_rules_has_no_novelty_importance_or_metaparameters(
    counted: tuple[xr.Dataset, int],
) -> None:
    task = small_task()
    rows = np.flatnonzero(task.labels != "adam")
    bare = xr.Dataset(
        coords={"subject": np.arange(len(rows)), "rule": ("subject", task.labels[rows])}
    )
    table = replace(
        task,
        features=bare,
        samples=task.samples.take(rows),
        analysis=replace(task.analysis, hold_out="task"),
        subjects=None,
        performance=None,
        noise=None,
    )
    found = evaluate(table, None)
    assert found.sizes["true_rule"] == 2
    absent = {"held_out_accuracy", "left_out_auroc", "relevance", "gini", "explained"}
    assert absent <= set(counted[0])
    assert not absent & set(found)
