from io import StringIO

import pytest
from rich.console import Console

from tests.report.synthetic import experiment
from virtuallab.report import verdict_table


def printed(tree, width=80):
    page = StringIO()
    Console(file=page, width=width, no_color=True).print(verdict_table(tree))
    return page.getvalue()


def test_the_table_reads_in_80_columns_without_colour(tree):
    text = printed(tree)
    assert "\x1b" not in text
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert "activity_change" in text


def test_each_classifier_has_its_table_with_the_stored_numbers(tree):
    text = printed(tree)
    stored = tree["decoding/main"].sel(probe="noisy", observable="all", classifier="random_forest")
    assert "balanced accuracy of random_forest, chance 0.25" in text
    assert "balanced accuracy of linear_svm, chance 0.25" in text
    assert f"{float(stored['balanced_accuracy']):.2f} [" in text


@pytest.mark.parametrize("leaking", [None, "visit_0"])
def test_a_failed_control_is_marked_without_the_help_of_colour(leaking):
    text = printed(experiment(leaking=leaking))
    assert ("0.45 !" in text) == (leaking is not None)
    assert ("cannot be trusted" in text) == (leaking is not None)


def test_a_scheme_that_flatters_has_its_correction_in_a_column():
    text = printed(experiment(published=True))
    assert text.count("whole subjects") == 2
    assert max(map(len, text.splitlines())) <= 80


def test_an_experiment_that_is_not_decoded_says_so():
    assert "Nothing is decoded yet" in printed(experiment(decoded=False))
