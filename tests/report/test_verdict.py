import pytest

from tests.report.synthetic import experiment
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
