from dataclasses import replace

import numpy as np
import pytest

from tests.report.synthetic import experiment
from virtuallab.errors import UserError
from virtuallab.report.results.analyses import analyses
from virtuallab.report.verdict_plates import (
    accuracy_plate,
    confusion_plate,
    controls_plate,
    summary_figure,
)


def test_each_classifier_has_a_panel_of_accuracy(tree):
    (analysis,) = analyses(tree)
    plate = accuracy_plate(analysis)
    assert len(plate.panels) == 2
    assert "41 subjects" in plate.caption
    assert "noisy, activity change: " in plate.panels[0].alt


def test_each_probe_has_the_confusion_of_its_best_result(tree):
    (analysis,) = analyses(tree)
    plate = confusion_plate(analysis)
    titles = [panel.figure.axes[0].get_title(loc="left") for panel in plate.panels]
    assert [title.split(":")[0] for title in titles] == [r.probe for r in analysis.of_probes]


def test_the_confusions_of_all_probes_have_their_rules_in_one_order(tree):
    plate = confusion_plate(analyses(tree)[0])
    orders = {
        tuple(label.get_text() for label in labels)
        for panel in plate.panels
        for axes in panel.figure.axes
        for labels in (axes.get_xticklabels(), axes.get_yticklabels())
    }
    assert len(orders) == 1


def test_many_rules_take_the_width_of_the_page(tree):
    (analysis,) = analyses(tree)
    assert not confusion_plate(analysis).broad
    names = np.array([f"rule {number}" for number in range(12)], dtype=object)
    counts = analysis.dataset["confusion"].isel(true_rule=0, predicted_rule=0, drop=True)
    table = counts.expand_dims({"true_rule": names, "predicted_rule": names})
    dataset = analysis.dataset.drop_dims(["true_rule", "predicted_rule"]).assign(confusion=table)
    assert confusion_plate(replace(analysis, dataset=dataset)).broad


def test_without_controls_there_is_no_plate_of_controls():
    tree = experiment()
    node = tree["decoding/main"].to_dataset().drop_vars(["control_accuracy", "control_interval"])
    tree["decoding/main"] = node
    assert controls_plate(analyses(tree)[0]) is None


def test_the_plate_of_controls_shows_those_that_should_be_at_chance_and_were_asked():
    one = ("random_forest",)
    tree = experiment(judged=True, not_asked=("schedule",), failing=("metadata",), classifiers=one)
    plate = controls_plate(analyses(tree)[0])
    (panel,) = plate.panels
    labels = [text.get_text() for text in panel.figure.legends[0].get_texts()]
    assert labels == [
        *("accuracy", "visit 0 alone", "permuted labels"),
        "metadata, above chance",
    ]
    assert "11 of 33 above chance" in panel.alt
    assert "(visit 0 alone, permuted labels and metadata)" in plate.caption


def test_the_summary_shows_the_classifier_of_the_best_result(tree):
    (analysis,) = analyses(tree)
    axes = summary_figure(tree).axes[0]
    drawn = sorted(
        float(x) for line in axes.lines if line.get_marker() != "None" for x in line.get_xdata()
    )
    wanted = [
        r.accuracy.value for r in analysis.results if r.classifier == analysis.best.classifier
    ]
    assert drawn == pytest.approx(sorted(wanted))


def test_there_is_no_summary_before_decoding():
    with pytest.raises(UserError, match="nothing is decoded"):
        summary_figure(experiment(decoded=False))
