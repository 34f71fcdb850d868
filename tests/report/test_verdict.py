import pytest

from tests.report.synthetic import KINDS, experiment
from virtuallab.report.results import analyses
from virtuallab.report.verdict import Finding, judge


def judged(**settings):
    return judge(analyses(experiment(**settings))[0])


def test_an_identified_rule_is_said_with_interval_chance_and_how_many_were_compared():
    verdict = judged()
    assert verdict.finding is Finding.IDENTIFIED
    for part in (
        "95\u00a0% interval",
        "chance is 0.25",
        "best of 22 comparisons",
        "do not exceed chance",
    ):
        assert part in verdict.sentence
    assert "None of the 44 negative controls lies above chance." in verdict.remarks


def test_nothing_above_chance_is_not_called_identified():
    verdict = judged(signal=0.03)
    assert verdict.finding is Finding.NOT_IDENTIFIED
    assert verdict.sentence.startswith("None of the 22 comparisons identifies the rule")


@pytest.mark.parametrize(
    ("control", "cause"), [("visit_0", "before learning"), ("permuted_labels", "validation itself")]
)
def test_a_failed_control_takes_the_verdict_away_and_names_the_likely_cause(control, cause):
    verdict = judged(leaking=control)
    assert verdict.finding is Finding.CONTROL_FAILED
    assert "cannot be trusted" in verdict.sentence
    assert cause in verdict.sentence
    assert any("22 of 44 negative controls lie above chance" in r for r in verdict.remarks)


@pytest.mark.parametrize(
    ("control", "cause"),
    [
        ("metadata", "not crossed with architecture, task or batch size"),
        ("schedule", "how long their subjects learned"),
    ],
)
def test_what_is_known_without_a_recording_may_not_name_the_rule(control, cause):
    verdict = judged(judged=True, failing=(control,))
    assert verdict.finding is Finding.CONTROL_FAILED
    assert cause in verdict.sentence
    assert any("22 of 88 negative controls" in r and "severely" in r for r in verdict.remarks)
    assert not any("luck" in remark for remark in verdict.remarks)


@pytest.mark.parametrize(
    ("control", "limit"),
    [
        ("learning_rate", "the learning rate alone tells the rules as well as the recording does"),
        ("performance", "the learning curve alone tells the rules as well as the recording does"),
        ("performance_matched", "the rules of subjects that learned as well as one another"),
        ("schedule_matched", "the rules of subjects whose schedule occurs under every rule"),
    ],
)
def test_what_the_recording_does_not_beat_or_survive_is_a_limit_and_no_fault(control, limit):
    verdict = judged(judged=True, failing=(control,))
    assert verdict.finding is Finding.IDENTIFIED
    assert "its controls do not exceed chance. But " in verdict.sentence
    assert limit in verdict.sentence
    assert any(r.startswith("In 22 of 22 results") and limit in r for r in verdict.remarks)


def test_where_every_control_passed_nothing_is_held_against_the_verdict():
    verdict = judged(judged=True)
    assert verdict.finding is Finding.IDENTIFIED
    assert "But" not in verdict.sentence
    assert "None of the 88 negative controls lies above chance." in verdict.remarks
    assert not any(remark.startswith("In ") for remark in verdict.remarks)


def test_a_control_that_was_not_asked_neither_fails_nor_counts():
    verdict = judged(judged=True, not_asked=("metadata", "performance_matched"))
    assert verdict.finding is Finding.IDENTIFIED
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
    assert (strict.scheme, published.scheme) == ("strict", "paper")
    verdict = judge(published)
    assert "with layers as samples" in verdict.sentence
    honest = f"kept together, the same accuracy is {published.best.accuracy.value - 0.1:.2f}"
    assert any(honest in remark for remark in verdict.remarks)
    assert not any("kept together" in remark for remark in judge(strict).remarks)


def test_the_decoders_own_warnings_are_passed_on():
    assert "all_units: one seed is shared" in judged().remarks
