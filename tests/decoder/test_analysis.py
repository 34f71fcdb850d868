"""Settings of an analysis, and the problems that it finds before any decoding."""

from __future__ import annotations

import re

import pytest

from virtuallab.decoder import Analysis, Primary

RULES = ("adam", "feedback", "sgdm")


@pytest.mark.parametrize(
    ("settings", "field", "message"),
    [
        ({"folds": 5, "inner_folds": 4}, "folds", "12 subjects per rule cannot be split in 5 groups"
         " nested in 4; needs at least 20. Raise subjects.replicates, or write 'folds: 5' and "
         "'inner_folds: 2'."),
        ({"probes": ("uta",)}, "probes", "no probe 'uta'. Did you mean 'utah'? Known: utah."),
        ({"classifiers": ("random_forrest",)}, "classifiers", "Did you mean 'random_forest'?"),
    ],
)  # fmt: skip
def test_an_impossible_analysis_is_a_problem_of_its_field(
    settings: dict[str, object], field: str, message: str
) -> None:
    count = 12 if field == "folds" else 15
    rules = [rule for rule in RULES for _ in range(count)]
    [(found, words)] = Analysis(**settings).check(rules, ["a"] * len(rules), ["utah"])
    assert found == field
    assert message in words


def test_one_architecture_cannot_be_held_out() -> None:
    rules = [rule for rule in RULES for _ in range(20)]
    [(field, words)] = Analysis(hold_out="architecture").check(rules, ["a"] * 60, ["utah"])
    assert (field, "one architecture only" in words) == ("hold_out", True)


def test_held_out_settings_are_checked_if_they_are_known() -> None:
    rules = [rule for rule in RULES for _ in range(20)]
    analysis = Analysis(hold_out=("architecture", "task"))
    architectures = ["knet4", "mlp"] * 30
    assert analysis.check(rules, architectures, ["utah"]) == []
    [(_, words)] = analysis.check(rules, architectures, ["utah"], columns={"task": ["digits"] * 60})
    assert words == "there is one task only; none can be held out."
    [(_, words)] = Analysis(hold_out="loss").check(rules, architectures, ["utah"], columns={})
    assert words == "all subjects learn by one loss"


def test_references_are_of_held_out_kinds() -> None:
    rules = [rule for rule in RULES for _ in range(20)]
    columns = {"batch_size": [8, 16] * 30}
    analysis = Analysis(hold_out="batch_size", references=True)
    found = analysis.check(rules, ["knet4", "mlp"] * 30, ["utah"], columns=columns)
    assert [field for field, _ in found] == ["references"]
    assert "Add one of architecture, family, task to 'hold_out'" in found[0][1]
    whole = Analysis(hold_out="architecture", references=True)
    assert whole.check(rules, ["knet4", "mlp"] * 30, ["utah"], columns=columns) == []
    published = Analysis(scheme="published", references=True).check(rules, (), ["utah"])
    assert [field for field, _ in published] == ["references"]
    assert "is for 'scheme: strict'" in published[0][1]
    alone = {"task": [f"task {row}" for row in range(60)]}
    [(field, words)] = whole.check(rules, ["knet4", "mlp"] * 30, ["utah"], columns=alone)
    assert (field, "two subjects of each rule" in words) == ("references", True)
    assert whole.without_held_out.check(rules, (), ["utah"]) == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [((), ()), (None, ()), ("task", ("task",)), (("task", "task"), ("task",))],
)
def test_held_out_settings_are_a_name_a_list_or_nothing(written: object, meant: tuple[str]) -> None:
    assert Analysis(hold_out=written).held_out == meant  # type: ignore[arg-type]


def test_other_rules_are_not_counted_as_rules_to_identify() -> None:
    rules = ["adam"] * 20 + ["sgdm"] * 2
    assert [field for field, _ in Analysis().check(rules, [], ["utah"])] == ["folds"]
    [(field, message)] = Analysis(others=("sgdm",)).check(rules, [], ["utah"])
    assert field == "rules"
    assert message.startswith("there is only one rule, 'adam', to identify beside 'others'; two or")
    [(field, message)] = Analysis(others=("adam", "sgdm")).check(rules, [], ["utah"])
    assert (field, message[:18]) == ("rules", "there is no rule t")
    three = rules + ["feedback"] * 15
    assert Analysis(others=("sgdm",)).check(three, [], ["utah"]) == []


def test_a_rule_among_others_that_has_no_subject_is_named_with_the_nearest() -> None:
    [(field, message)] = Analysis(others=("adamm",)).check(["adam", "sgdm"], [], ["utah"])
    assert field == "others"
    assert message == "no rule 'adamm'. Did you mean 'adam'? Known: adam, sgdm."


def test_settings_of_other_rules_do_not_count_for_what_is_held_out() -> None:
    rules = ["adam"] * 20 + ["sgdm"] * 20 + ["oja"] * 20
    tasks = {"task": ["digits"] * 40 + ["mnist"] * 20}
    analysis = Analysis(hold_out="task", others=("oja",))
    [(field, message)] = analysis.check(rules, [], ["utah"], columns=tasks)
    assert (field, message) == ("hold_out", "there is one task only; none can be held out.")


def test_the_published_scheme_holds_nothing_out() -> None:
    rules = ["adam"] * 4 + ["sgdm"] * 4
    analysis = Analysis(scheme="published", hold_out="task")
    [(field, message)] = analysis.check(rules, [], ["utah"])
    assert field == "hold_out"
    assert message.startswith("is for 'scheme: strict'")


def test_folds_need_their_product_of_subjects_and_random_splits_need_four() -> None:
    strict = Analysis(folds=4, inner_folds=3)
    published = Analysis(scheme="published", folds=4, inner_folds=3)
    assert (strict.needed, published.needed) == (12, 4)
    rules = ["sgdm"] * 12 + ["adam"] * 11
    assert strict.too_few(rules) == {"adam": 11}
    assert strict.too_few(rules, planned=("adam", "oja")) == {"adam": 11, "oja": 0}
    [(field, message)] = published.check(["adam"] * 3 + ["sgdm"] * 4, [], ["utah"])
    assert (field, message) == (
        "splits",
        "3 subjects per rule cannot be split 75/25; needs at least 4. Raise subjects.replicates.",
    )


def test_theory_is_read_only_if_it_is_named_and_by_the_strict_scheme() -> None:
    assert "theory" not in Analysis().observables
    rules = ["adam"] * 15 + ["sgdm"] * 15
    assert Analysis(observables=("theory",)).check(rules, [], ["utah"]) == []
    published = Analysis(observables=("theory", "activity"), scheme="published")
    [(field, message)] = published.check(rules, [], ["utah"])
    assert (field, message[:28]) == ("observables", "'theory' is for 'scheme: str")


ENOUGH = ["adam"] * 15 + ["sgdm"] * 15


@pytest.mark.parametrize(
    ("settings", "measured", "message"),
    [
        ({"observables": ("weights",)}, {"utah": ("activity",)}, "by 'utah', which measures act"),
        ({"observables": ("weights",), "probes": ("utah",)}, {"utah": ("activity",)}, "by 'utah'"),
        ({"observables": ("weights", "all")}, {"utah": ("activity",)}, None),
        ({"observables": ("activity", "weights")}, {"utah": ("activity",)}, None),
        ({"observables": ("weights",)}, None, None),
    ],
)
def test_one_of_the_observables_must_be_measured(
    settings: dict[str, tuple[str, ...]],
    measured: dict[str, tuple[str, ...]] | None,
    message: str | None,
) -> None:
    found = Analysis(**settings).check(ENOUGH, [], ["utah"], measured=measured)  # type: ignore[arg-type]
    assert [field for field, _ in found] == ([] if message is None else ["observables"])
    assert message is None or message in found[0][1]


def test_an_analysis_without_probes_says_where_to_add_one() -> None:
    [(field, message)] = Analysis().check(ENOUGH, [], [], measured={})
    assert field == "probes"
    assert "Add a recording design to the protocol's `probes`" in message


MEASURED = {"array": ("activity",), "whole": ("activity", "weights")}


@pytest.mark.parametrize(
    ("primary", "message"),
    [
        (None, None),
        ({"probe": "array", "observable": "activity"}, None),
        ({"observable": "weights"}, None),  # only one probe measures them
        ({"probe": "aray"}, "no probe 'aray' in this analysis. Did you mean 'array'?"),
        ({"observable": "all"}, "no observable 'all' in this analysis."),
        ({"classifier": "kernel_smv"}, "Did you mean 'kernel_svm'?"),
        ({"probe": "whole"}, "name also its observable (activity, weights)."),
        ({}, "leaves 3 comparisons; name also its probe (array, whole) and observable"),
        ({"probe": "array", "observable": "weights"}, "probe 'array' does not measure weights."),
    ],
)
def test_primary_is_one_comparison_of_the_analysis(
    primary: dict[str, str] | None, message: str | None
) -> None:
    named = None if primary is None else Primary(**primary)  # type: ignore[arg-type]
    analysis = Analysis(observables=("activity", "weights"), primary=named)
    found = [text for _, text in analysis.check_primary(MEASURED)]
    assert len(found) == (message is not None)
    assert message is None or message in found[0]


def test_an_observable_that_no_probe_measures_cannot_be_primary() -> None:
    analysis = Analysis(primary=Primary(observable="activity_change"))
    [(field, message)] = analysis.check_primary(MEASURED)
    assert field == "primary"
    assert message == "no probe measures activity_change. Name what is measured."


def test_a_primary_comparison_names_only_the_keys_that_are_given() -> None:
    assert Primary(classifier="kernel_svm").named == {"classifier": "kernel_svm"}
    assert Primary().named == {}


@pytest.mark.parametrize("count", range(1, 20))
def test_the_folds_that_are_proposed_are_possible(count: int) -> None:
    rules = [rule for rule in RULES for _ in range(count)]
    [(_, words)] = Analysis(folds=5, inner_folds=4).check(rules, [], ["utah"])
    folds, inner = map(int, re.findall(r"folds: (\d+)'", words))
    assert not Analysis(folds=folds, inner_folds=inner).check(
        ["a", "b"] * max(count, 4), [], ["utah"]
    )
    assert ("even" in words) == (count < 4)
    [(_, words)] = Analysis(folds=2, inner_folds=2).check(["a", "b"], [], ["utah"])
    assert words.endswith("needs at least 4. Raise subjects.replicates.")


def test_more_pairs_of_crossed_seeds_are_more_model_seeds() -> None:
    rules, pairs = ["adam", "sgdm"] * 4, [0, 0, 0, 0, 1, 1, 1, 1]
    [(field, words)] = Analysis().check(
        rules, (), ("p",), columns={"model_seed": pairs, "pair": pairs}, pairs=pairs
    )
    assert field == "folds"
    assert "needs at least 15. Raise subjects.seeds.model" in words
