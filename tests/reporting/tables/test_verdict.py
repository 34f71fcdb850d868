from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from tests.reporting.synthetic import experiment
from virtuallab.reporting import verdict_table


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


def test_every_control_of_the_best_result_has_its_condition_and_outcome():
    failing, absent = ("permuted_labels", "performance"), ("performance_matched",)
    tree = experiment(judged=True, failing=failing, not_evaluated=absent)
    text = printed(tree)
    table = text[text.index("controls of the best of 22 results") :]
    rows = {line[1:21].strip(): line for line in table.splitlines()}
    assert rows["visit 0 alone"].rstrip().endswith("passed")
    assert rows["permuted labels"].rstrip().endswith("FAILED")
    assert "below recording" in rows["performance"]
    assert "FAILED: equivalent" in rows["performance"]
    assert "above chance     -" in rows["performance matched"]
    assert "not evaluated:" in rows["performance matched"]
    assert max(map(len, text.splitlines())) <= 80


def test_many_held_out_groups_have_one_column_for_each_property():
    tree = experiment(held_out=True, classifiers=("random_forest",))
    node = tree["decoding/main"].to_dataset()
    splits = ("architecture", "family", "task", "loss", "learning_rate", "batch_size")
    labels = [f"{split}: number {place}" for split in splits for place in range(7)]
    wide = node.isel(held_out=np.zeros(len(labels), int)).assign_coords(held_out=labels)
    tree["decoding/main"] = wide
    text = printed(tree)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert "number" not in text
    header = next(line for line in text.splitlines() if "architecture" in line)
    assert "family" in header
    assert "main: random_forest on held-out groups" in text


def test_held_out_groups_are_in_the_table_of_accuracies_if_it_is_wide_enough():
    tree = experiment(held_out=True, classifiers=("random_forest",))
    node = tree["decoding/main"].to_dataset()
    tree["decoding/main"] = node.isel(held_out=[2, 3])
    text = printed(tree)
    assert "Held-out: mean accuracy on groups that were not used for training" in " ".join(
        text.split()
    )
    assert max(map(len, text.splitlines())) <= 80


def test_held_out_groups_have_a_row_for_each_choice_of_references():
    text = printed(experiment(held_out=True, classifiers=("random_forest",)))
    assert max(map(len, text.splitlines())) <= 80
    start = text.index("relative to references of their kind")
    rows = {line.rsplit("  ", 2)[0].strip() for line in text[start:].splitlines()}
    assert {"none", "all rules", "its own rule"} <= {row.split("  ")[0] for row in rows}
    assert "remove what identifies it" in " ".join(text.split())
    assert "references" not in printed(experiment())


def test_calibration_and_coverage_are_explained():
    text = " ".join(printed(experiment(judged=True)).replace("\u00a0", " ").split())
    assert "Calibration error 0.05 (expected of exact probabilities: 0.04)" in text
    assert (
        "90 % prediction sets contain the true rule in 91 % of subjects; mean size 1.4 rules"
        in text
    )
    assert "as unknown with AUROC 0.73, at worst 0.55 (Adam)" in text


def test_an_older_store_has_its_table_alone():
    text = printed(experiment())
    assert "controls of the best" not in text
    assert "certainty" not in text


def test_the_published_scheme_has_its_correction_in_a_column():
    text = printed(experiment(published=True))
    assert text.count("whole subjects") == 2
    assert text.count("Whole subjects:") == 1
    assert max(map(len, text.splitlines())) <= 80


def test_an_experiment_that_is_not_decoded_says_so():
    assert "Nothing is decoded yet" in printed(experiment(decoded=False))
