import numpy as np

from tests.report.synthetic import RULES, experiment
from virtuallab.report.style import looks
from virtuallab.report.subject_plates import activity_plate, learning_plate
from virtuallab.vocabulary import DONE


def test_each_architecture_has_a_panel_and_the_caption_says_who_is_left_out(tree):
    plate = learning_plate(tree, looks(RULES))
    assert [panel.alt.split(", ")[1] for panel in plate.panels] == [
        *("knet4", "knet4"),
        *("mlp", "mlp"),
    ]
    assert [panel.alt.split(" over ")[0] for panel in plate.panels[:2]] == [
        "Validation accuracy",
        "Validation loss",
    ]
    status = tree["subjects/status"].to_numpy()
    assert f"{(status == DONE).sum()} subjects" in plate.caption
    assert f"{(status != DONE).sum()} that diverged" in plate.caption


def test_two_losses_are_never_drawn_as_one(tree):
    two = tree.copy()
    count = two["subjects"].sizes["subject"]
    losses = np.array(["cross_entropy", "squared_error"] * (count // 2), dtype=object)
    two["subjects"] = two["subjects"].to_dataset().assign(loss=("subject", losses))
    plate = learning_plate(two, looks(RULES))
    assert len(plate.panels) == 8
    labels = [panel.figure.axes[0].get_ylabel() for panel in plate.panels[1::2]]
    assert labels == ["validation loss (nat)", "validation loss"] * 2
    assert "squared error" in plate.panels[2].alt


def test_before_training_there_are_no_learning_curves():
    tree = experiment(decoded=False, recorded=False, pending=48)
    assert learning_plate(tree, looks(RULES)) is None


def test_the_probe_that_is_asked_for_is_shown_if_it_kept_its_recordings(tree):
    assert "“sparse”" in activity_plate(tree, ["sparse"]).caption
    assert "“sparse”" in activity_plate(tree, ["all_units", "sparse", "noisy"]).caption
    assert "“noisy”" in activity_plate(tree, ["all_units"]).caption


def test_a_subject_of_each_rule_is_shown_and_none_that_diverged(tree):
    plate = activity_plate(tree, ["noisy"])
    shown = [panel.alt.split(" in ")[1].split(",")[0] for panel in plate.panels]
    subjects = tree["subjects"].to_dataset().sel(subject=shown)
    assert sorted(subjects["rule"].to_numpy()) == sorted(RULES)
    assert (subjects["status"] == DONE).all()
    assert (subjects["architecture"] == "knet4").all()


def test_without_recordings_there_is_no_plate_of_activity():
    assert activity_plate(experiment(recorded=False)) is None
