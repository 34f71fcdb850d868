import json

import pytest

from tests.reporting.synthetic import KINDS, experiment
from virtuallab.reporting.results.analyses import analyses
from virtuallab.reporting.results.verdict import Conclusion, judge


def judged(**settings):
    return judge(analyses(experiment(**settings))[0])


NOISY = {"probe": "noisy", "observable": "activity", "classifier": "linear_svm"}


def test_the_primary_result_answers_and_not_the_best():
    tree = experiment(primary=NOISY)
    (analysis,) = analyses(tree)
    verdict = judge(analysis)
    stored = tree["decoding/main"].to_dataset().sel(NOISY)
    assert analysis.primary != analysis.best
    assert verdict.conclusion is Conclusion.IDENTIFIED
    assert verdict.sentence.startswith("The probe “noisy” identifies the rule")
    for part in (
        f"{float(stored['balanced_accuracy']):.2f} (95 % interval",
        "chance is 0.25",
        "from activity by linear SVM, the primary result that the protocol names",
        "do not exceed chance",
    ):
        assert part in verdict.sentence
    assert "best of" not in verdict.sentence
    best = next(r for r in verdict.remarks if r.startswith("The best of all 22 results is"))
    assert "corrected for 22 comparisons" in best


def test_a_primary_result_at_chance_is_the_answer_though_others_are_above():
    tree = experiment(primary=NOISY)
    low = tree["decoding/main"].to_dataset()
    low["interval"].loc[NOISY] = [0.2, 0.3]
    tree["decoding/main"] = low
    verdict = judge(analyses(tree)[0])
    assert verdict.conclusion is Conclusion.NOT_IDENTIFIED
    assert verdict.sentence.startswith("The probe “noisy” does not identify the rule")


def test_a_primary_result_that_was_not_measured_is_missed_and_not_replaced():
    verdict = judged(
        primary={"probe": "sparse", "observable": "weights", "classifier": "linear_svm"}
    )
    assert verdict.conclusion is Conclusion.NOTHING
    assert "(probe sparse, observable weights, classifier linear SVM) was not" in verdict.sentence


def test_the_only_result_is_primary_by_itself():
    tree = experiment(classifiers=("linear_svm",))
    tree["decoding/main"] = tree["decoding/main"].to_dataset().isel(probe=[1], observable=[0])
    (analysis,) = analyses(tree)
    verdict = judge(analysis)
    assert (analysis.primary, analysis.shown_as) == (analysis.results[0], "only result")
    assert verdict.sentence.startswith("The probe “noisy” identifies the rule")
    assert "named" not in verdict.sentence


def test_without_a_primary_result_the_table_answers_and_the_best_is_corrected():
    (analysis,) = analyses(experiment())
    verdict = judge(analysis)
    values = [result.accuracy.value for result in analysis.results]
    together = analysis.best.simultaneous
    assert verdict.conclusion is Conclusion.IDENTIFIED
    for part in (
        "No primary result was named, so all 22 results are the answer",
        f"from {min(values):.2f} to {max(values):.2f}, where chance is 0.25",
        "Corrected for 22 comparisons, 22 of them identify the rule.",
        "The best of 22 is",
        f"corrected for 22 comparisons, {together.low:.2f} to {together.high:.2f})",
        "do not exceed chance",
    ):
        assert part in verdict.sentence


def test_what_is_above_chance_only_before_the_correction_is_not_identified():
    tree = experiment(signal=0.1)
    node = tree["decoding/main"].to_dataset()
    node["interval"][..., 0] = 0.26
    tree["decoding/main"] = node.assign(simultaneous_interval=node["interval"] * [0.9, 1])
    (analysis,) = analyses(tree)
    assert all(result.identifies for result in analysis.results)
    verdict = judge(analysis)
    assert verdict.conclusion is Conclusion.NOT_IDENTIFIED
    assert "Corrected for 22 comparisons, none lies above chance" in verdict.sentence


def test_an_identified_rule_is_said_with_how_many_controls_were_asked():
    verdict = judged()
    assert verdict.conclusion is Conclusion.IDENTIFIED
    assert "None of the 44 negative controls lies above chance." in verdict.remarks


def test_nothing_above_chance_is_not_called_identified():
    verdict = judged(signal=0.03)
    assert verdict.conclusion is Conclusion.NOT_IDENTIFIED
    assert "do not identify the rule" in verdict.sentence


@pytest.mark.parametrize(
    ("control", "cause"), [("visit_0", "before learning"), ("permuted_labels", "validation itself")]
)
def test_a_failed_control_takes_the_verdict_away_and_names_the_likely_cause(control, cause):
    verdict = judged(leaking=control)
    assert verdict.conclusion is Conclusion.CONTROL_FAILED
    assert "cannot be trusted" in verdict.sentence
    assert cause in verdict.sentence
    assert any("22 of 44 negative controls lie above chance" in r for r in verdict.remarks)


@pytest.mark.parametrize(
    ("control", "cause"),
    [
        ("metadata", "not crossed with other settings"),
        ("schedule", "the duration of learning"),
    ],
)
def test_what_is_known_without_a_recording_may_not_name_the_rule(control, cause):
    verdict = judged(judged=True, failing=(control,))
    assert verdict.conclusion is Conclusion.CONTROL_FAILED
    assert cause in verdict.sentence
    assert any("22 of 88 negative controls" in r and "severely" in r for r in verdict.remarks)


@pytest.mark.parametrize(
    ("control", "limit"),
    [
        ("learning_rate", "the learning rate alone identifies the rules as well as the recording"),
        ("performance", "the learning curve alone identifies the rules as well as the recording"),
        ("performance_matched", "the rules of subjects with equal final accuracy"),
        ("schedule_matched", "the rules of subjects whose schedule occurs under every rule"),
    ],
)
def test_what_the_recording_does_not_beat_or_survive_is_a_limit_and_no_fault(control, limit):
    verdict = judged(judged=True, failing=(control,))
    assert verdict.conclusion is Conclusion.IDENTIFIED
    assert "its controls do not exceed chance. But " in verdict.sentence
    assert limit in verdict.sentence
    assert any(
        r.startswith("In 22 of 22 results above chance") and limit in r for r in verdict.remarks
    )


def test_where_every_control_passed_nothing_is_held_against_the_verdict():
    verdict = judged(judged=True)
    assert verdict.conclusion is Conclusion.IDENTIFIED
    assert "But" not in verdict.sentence
    assert "None of the 88 negative controls lies above chance." in verdict.remarks
    assert not any(remark.startswith("In ") for remark in verdict.remarks)


def test_a_control_that_was_not_asked_neither_fails_nor_counts():
    verdict = judged(judged=True, not_asked=("metadata", "performance_matched"))
    assert verdict.conclusion is Conclusion.IDENTIFIED
    assert "None of the 66 negative controls lies above chance." in verdict.remarks


def test_where_no_control_could_be_asked_a_leak_would_go_unnoticed():
    verdict = judged(judged=True, not_asked=tuple(KINDS))
    assert "no control was run" in verdict.sentence
    assert any("leak would go unnoticed" in remark for remark in verdict.remarks)


def test_missing_controls_are_said_to_be_missing():
    tree = experiment()
    node = tree["decoding/main"].to_dataset().drop_vars(["control_accuracy", "control_interval"])
    tree["decoding/main"] = node
    verdict = judge(analyses(tree)[0])
    assert "no control was run" in verdict.sentence
    assert any("leak would go unnoticed" in remark for remark in verdict.remarks)


def test_a_scheme_that_flatters_says_by_how_much():
    strict, published = analyses(experiment(published=True))
    assert (strict.scheme, published.scheme) == ("strict", "published")
    verdict = judge(published)
    assert "with layers as samples" in verdict.sentence
    honest = f"kept together, the same accuracy is {published.best.accuracy.value - 0.1:.2f}"
    assert any(honest in remark for remark in verdict.remarks)
    assert not any("kept together" in remark for remark in judge(strict).remarks)


def test_the_decoders_own_warnings_are_passed_on():
    assert "all_units: one seed is shared" in judged().remarks


def test_a_limit_is_told_of_results_above_chance_only():
    tree = experiment(judged=True, failing=("learning_rate",))
    low = tree["decoding/main"].to_dataset()
    low["interval"].loc[{"probe": ["all_units", "sparse"], "bound": "low"}] = 0.2
    tree["decoding/main"] = low
    remarks = judge(analyses(tree)[0]).remarks
    assert any(r.startswith("In 8 of 8 results above chance the learning rate") for r in remarks)
    low["interval"].loc[{"bound": "low"}] = 0.2
    tree["decoding/main"] = low
    assert not any("learning rate" in r for r in judge(analyses(tree)[0]).remarks)


def test_a_control_that_lies_above_chance_alone_and_passes_among_many_is_told():
    tree = experiment(judged=True)
    some = tree["decoding/main"].to_dataset()
    some["control_interval"].loc[{**NOISY, "control": "visit_0"}] = [0.29, 0.52]
    tree["decoding/main"] = some.assign_attrs(primary=json.dumps(NOISY))
    verdict = judge(analyses(tree)[0])
    assert "; its controls, judged together, do not exceed chance" in verdict.sentence
    assert any(
        r.startswith("None of the 88 negative controls fails: 1 would lie above chance")
        for r in verdict.remarks
    )
