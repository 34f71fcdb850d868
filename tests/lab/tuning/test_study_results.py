"""Results of a search: its table, and the summary of each study."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from tests.protocol.texts import protocol
from virtuallab.lab.tuning.study_results import StudyResult, Trial, describe, summarise, table
from virtuallab.protocol import Search, SearchStudy, search_studies

RATE = "optimizer.learning_rate"


@pytest.fixture(scope="module")
def studies() -> tuple[SearchStudy, ...]:
    """Two studies of one rule, which differ in the batch size."""
    made = protocol(
        ("batch_size: 32", "batch_size: [16, 32]"),
        ("label: sgdm}", "label: sgdm, optimizer: sgd}"),
    )
    return search_studies(made)


def trials(*values: float, diverged: int = 0) -> list[Trial]:
    return [
        Trial(number, {RATE: 0.01 * (number + 1)}, value, diverged, "complete")
        for number, value in enumerate(values)
    ]


FAILED = Trial(9, {}, float("nan"), 0, "failed")


def test_the_table_has_a_row_for_each_trial_with_its_settings(
    studies: tuple[SearchStudy, ...],
) -> None:
    one, other = studies
    found = table({"one": (one, [*trials(0.5, 0.75), FAILED]), "other": (other, trials(0.6))})
    assert found["study"].tolist() == ["one", "one", "one", "other"]
    assert found["rule"].unique().tolist() == ["information_alignment"]
    assert found["architecture"].unique().tolist() == ["knet4"]
    assert found["batch_size"].tolist() == [16, 16, 16, 32]
    assert found["trial"].tolist() == [0, 1, 9, 0]
    np.testing.assert_array_equal(found[RATE], [0.01, 0.02, np.nan, 0.01])
    np.testing.assert_array_equal(found["value"], [0.5, 0.75, np.nan, 0.6])
    assert found["state"].tolist() == ["complete", "complete", "failed", "complete"]
    assert found.columns.tolist() == [
        *("study", "rule", "architecture", "task", "trial", "batch_size", RATE),
        *("value", "diverged", "state"),
    ]


@pytest.mark.parametrize(
    ("objective", "best", "near"),
    [("validation_performance", 3, 2 / 5), ("validation_loss", 0, 1 / 5), ("train_loss", 0, 1 / 5)],
)
def test_the_best_trial_is_the_highest_accuracy_or_the_lowest_loss(
    objective: str, best: int, near: float, studies: tuple[SearchStudy, ...]
) -> None:
    values = (0.1, 0.8, 0.5, 0.84, 0.3)  # 0.8 is 95.2 % of 0.84
    found = summarise(studies[0], Search(objective=objective), [*trials(*values), FAILED])
    assert found.settings == {RATE: pytest.approx(0.01 * (best + 1))}
    assert found.best == values[best]
    assert found.median == 0.5
    assert found.near == pytest.approx(near)
    assert found.trials == 5, "a trial that failed does not count"
    assert not found.is_hopeless


def test_of_equal_trials_the_first_is_the_best(studies: tuple[SearchStudy, ...]) -> None:
    found = summarise(studies[0], Search(), trials(0.2, 0.7, 0.7))
    assert found.settings == {RATE: 0.02}


@pytest.mark.parametrize(("diverged", "hopeless"), [(0, False), (1, False), (2, True)])
def test_a_study_is_hopeless_where_all_subjects_of_its_best_trial_diverged(
    diverged: int, hopeless: bool, studies: tuple[SearchStudy, ...]
) -> None:
    found = summarise(studies[0], Search(seeds=2), trials(0.1, 0.1, diverged=diverged))
    assert found.is_hopeless is hopeless


def result(study: SearchStudy, **changes: object) -> StudyResult:
    found = summarise(study, Search(), trials(0.5, 0.84, 0.8, 0.1234567))
    return replace(found, **changes)  # type: ignore[arg-type]


def test_a_result_is_a_sentence(studies: tuple[SearchStudy, ...]) -> None:
    where = "information_alignment (batch_size 16), knet4, digits"
    assert result(studies[0], best=0.1234567).sentence == f"{where}: 0.1235"
    assert result(studies[0], is_hopeless=True).sentence == (
        f"{where}: no trial did better than one that diverged; it is left open"
    )


@pytest.mark.parametrize("width", [80, 40])
def test_the_terminal_shows_the_best_settings_and_how_much_the_choice_matters(
    width: int, studies: tuple[SearchStudy, ...]
) -> None:
    one, other = studies
    page = io.StringIO()
    found = [result(one), result(other, is_hopeless=True, trials=6)]
    Console(file=page, width=width).print(describe("small", Search(), found))
    text = page.getvalue()
    assert max(map(len, text.splitlines())) <= width
    words = " ".join(text.split())
    assert words.startswith("small: best of 6 trials by ")
    assert "learning_rate 0.02" in words
    assert "optimizer." not in words
    assert "50 %" in words, "two of four are within 95 % of the best"
    assert "all diverge" in words
    assert "near: share of trials within 95 % of the best" in words
