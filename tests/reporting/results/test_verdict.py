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
        "among 4 rules",
        "from activity by linear SVM, the primary result named in the protocol",
        "no control that must be at chance exceeds it",
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
        "The protocol names no primary result, so the verdict is on all 22",
        f"{min(values):.2f} to {max(values):.2f} among 4 rules, where chance is 0.25",
        "Corrected for 22 comparisons, all identify the rule.",
        "The best of 22 is",
        f"corrected for 22 comparisons, {together.low:.2f} to {together.high:.2f})",
        "no control that must be at chance exceeds it",
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
    assert "Corrected for 22 comparisons, none is above chance" in verdict.sentence


def test_the_remarks_on_an_identified_rule_give_the_number_of_controls():
    verdict = judged()
    assert verdict.conclusion is Conclusion.IDENTIFIED
    assert "None of 44 controls that must be at chance is above chance." in verdict.remarks


def test_nothing_above_chance_is_not_called_identified():
    verdict = judged(signal=0.03)
    assert verdict.conclusion is Conclusion.NOT_IDENTIFIED
    assert "are not shown to identify the rule" in verdict.sentence
    sure = judged(signal=-0.1)
    assert sure.conclusion is Conclusion.NOT_IDENTIFIED
    assert "do not identify the rule" in sure.sentence


@pytest.mark.parametrize(
    ("control", "cause"),
    [("visit_0", "before learning"), ("permuted_labels", "cross-validation leaks")],
)
def test_a_failed_control_takes_the_verdict_away_and_names_the_likely_cause(control, cause):
    verdict = judged(leaking=control)
    assert verdict.conclusion is Conclusion.CONTROL_FAILED
    assert "cannot be trusted" in verdict.sentence
    assert cause in verdict.sentence
    assert any("22 of 44 controls that must be at chance fail" in r for r in verdict.remarks)


@pytest.mark.parametrize(
    ("control", "cause"),
    [
        ("metadata", "ules differ in other settings"),
        ("schedule", "ules differ in length of training"),
    ],
)
def test_what_is_known_without_a_recording_may_not_name_the_rule(control, cause):
    verdict = judged(judged=True, failing=(control,))
    assert verdict.conclusion is Conclusion.CONTROL_FAILED
    assert cause in verdict.sentence
    assert any(
        "22 of 88 controls" in r and "corrected for their number" in r for r in verdict.remarks
    )


@pytest.mark.parametrize(
    ("control", "limit"),
    [
        (
            "learning_rate",
            "the learning rate alone identifies the rule as well as the recording (within 0.05)",
        ),
        (
            "performance",
            "the learning curve alone identifies the rule as well as the recording (within 0.05)",
        ),
        ("performance_matched", "not identified among subjects with equal final accuracies"),
        ("schedule_matched", "among subjects with schedules equally frequent under every rule"),
    ],
)
def test_what_the_recording_does_not_beat_or_survive_is_a_limit_and_no_fault(control, limit):
    verdict = judged(judged=True, failing=(control,))
    assert verdict.conclusion is Conclusion.IDENTIFIED
    assert "no control that must be at chance exceeds it. However, " in verdict.sentence
    assert limit in verdict.sentence
    assert any(
        r.startswith("In all 22 results above chance") and limit in r for r in verdict.remarks
    )


@pytest.mark.parametrize(
    ("control", "limit"),
    [
        ("performance", "whether the recording is more accurate than the learning curve alone is"),
        (
            "performance_matched",
            "whether the rule is identified among subjects with equal final accuracies is",
        ),
    ],
)
def test_a_difference_that_was_not_found_among_few_subjects_is_undecided(control, limit):
    verdict = judged(judged=True, undecided=(control,))
    assert verdict.conclusion is Conclusion.IDENTIFIED
    assert f"However, {limit} undecided: too few subjects" in verdict.sentence
    assert "equivalent" not in verdict.sentence
    assert any(f"In all 22 results above chance, {limit} undecided" in r for r in verdict.remarks)


def test_a_control_with_both_outcomes_has_a_remark_on_each():
    tree = experiment(judged=True, failing=("performance",))
    node = tree["decoding/main"].to_dataset()
    node["control_difference_interval"].loc[{"probe": "noisy", "control": "performance"}] = [-1, 1]
    tree["decoding/main"] = node
    remarks = judge(analyses(tree)[0]).remarks
    assert any("In 14 of 22" in r and "as well as the recording" in r for r in remarks)
    assert any("In 8 of 22" in r and "undecided" in r for r in remarks)


def test_a_wide_interval_that_includes_chance_does_not_show_that_nothing_is_identified():
    tree = experiment(primary=NOISY)
    low = tree["decoding/main"].to_dataset()
    low["interval"].loc[NOISY] = [0.2, 0.5]
    tree["decoding/main"] = low
    verdict = judge(analyses(tree)[0])
    assert verdict.conclusion is Conclusion.NOT_IDENTIFIED
    assert verdict.sentence.startswith("The probe “noisy” is not shown to identify the rule")
    assert "More subjects would narrow the interval" in verdict.sentence


def test_where_every_control_passed_nothing_is_held_against_the_verdict():
    verdict = judged(judged=True)
    assert verdict.conclusion is Conclusion.IDENTIFIED
    assert "However" not in verdict.sentence
    assert "None of 88 controls that must be at chance is above chance." in verdict.remarks
    assert not any(remark.startswith("In ") for remark in verdict.remarks)


def test_a_control_that_was_not_evaluated_neither_fails_nor_counts():
    verdict = judged(judged=True, not_evaluated=("metadata", "performance_matched"))
    assert verdict.conclusion is Conclusion.IDENTIFIED
    assert "None of 66 controls that must be at chance is above chance." in verdict.remarks


def test_without_evaluated_controls_a_leak_would_go_unnoticed():
    verdict = judged(judged=True, not_evaluated=tuple(KINDS))
    assert "no control was evaluated" in verdict.sentence
    assert any("leak would go unnoticed" in remark for remark in verdict.remarks)


def test_missing_controls_are_reported():
    tree = experiment()
    node = tree["decoding/main"].to_dataset().drop_vars(["control_accuracy", "control_interval"])
    tree["decoding/main"] = node
    verdict = judge(analyses(tree)[0])
    assert "no control was evaluated" in verdict.sentence
    assert any("leak would go unnoticed" in remark for remark in verdict.remarks)


def test_the_bias_of_the_published_scheme_is_reported():
    strict, published = analyses(experiment(published=True))
    assert (strict.scheme, published.scheme) == ("strict", "published")
    verdict = judge(published)
    assert "with layers as samples" in verdict.sentence
    honest = f"kept together, the accuracy is {published.best.accuracy.value - 0.1:.2f}"
    assert any(honest in remark for remark in verdict.remarks)
    assert not any("kept together" in remark for remark in judge(strict).remarks)


def test_warnings_of_the_decoder_are_remarks():
    assert "all_units: one seed is shared" in judged().remarks


def test_a_limit_is_reported_for_results_above_chance_only():
    tree = experiment(judged=True, failing=("learning_rate",))
    low = tree["decoding/main"].to_dataset()
    low["interval"].loc[{"probe": ["all_units", "sparse"], "bound": "low"}] = 0.2
    tree["decoding/main"] = low
    remarks = judge(analyses(tree)[0]).remarks
    assert any(r.startswith("In all 8 results above chance, the learning rate") for r in remarks)
    low["interval"].loc[{"bound": "low"}] = 0.2
    tree["decoding/main"] = low
    assert not any("learning rate" in r for r in judge(analyses(tree)[0]).remarks)


def test_a_control_above_chance_on_its_own_that_passes_among_many_is_reported():
    tree = experiment(judged=True)
    some = tree["decoding/main"].to_dataset()
    some["control_interval"].loc[{**NOISY, "control": "visit_0"}] = [0.29, 0.52]
    tree["decoding/main"] = some.assign_attrs(primary=json.dumps(NOISY))
    verdict = judge(analyses(tree)[0])
    assert "exceeds it after correction for their number" in verdict.sentence
    assert any(
        "None of 88 controls that must be at chance fails: 1 would be above chance" in r
        for r in verdict.remarks
    )
