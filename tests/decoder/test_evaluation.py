from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import xarray as xr

from tests.decoder.synthetic import LAYERS, RULES, features, with_theory
from virtuallab.decoder import Analysis
from virtuallab.decoder.evaluation import evaluate, n_steps
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy
from virtuallab.errors import NotDecoded
from virtuallab.registry import CLASSIFIERS
from virtuallab.vocabulary import DIVERGED, DONE

SLOW = ("random_forest", "gradient_boosting", "conv1d_mlp")
EVERY = [
    pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in CLASSIFIERS
]


def asked(dataset: xr.Dataset, seed: int = 1, **settings: object) -> xr.Dataset:
    analysis = Analysis(**({"observables": ("activity",), "folds": 3, "inner_folds": 2,
                            "permutations": 1} | settings))  # fmt: skip
    return evaluate(dataset, analysis, seed)


def bounds(verdict: xr.Dataset, name: str, **where: str) -> tuple[float, float]:
    low, high = verdict[name].sel(**where).squeeze().values
    return float(low), float(high)


@pytest.mark.parametrize("classifier", EVERY)
def test_a_planted_rule_is_found_and_the_controls_are_not(classifier: str) -> None:
    verdict = asked(features(signal=1.5), classifiers=(classifier,))
    low, _ = bounds(verdict, "interval")
    assert low > 0.5
    for control in ("visit_0", "permuted_labels"):
        low, high = bounds(verdict, "control_interval", control=control)
        assert low <= 1 / 3 <= high, control


@pytest.mark.parametrize("classifier", EVERY)
def test_nothing_is_found_where_there_is_nothing(classifier: str) -> None:
    low, high = bounds(asked(features(), classifiers=(classifier,)), "interval")
    assert low <= 1 / 3 <= high


def test_a_rule_written_into_the_first_visit_turns_its_control_red() -> None:
    verdict = asked(features(first_visit=2.0)).squeeze()
    assert verdict["control_passed"].sel(control="visit_0") == 0
    assert verdict["control_passed"].sel(control="permuted_labels") == 1


def test_where_visit_0_was_not_recorded_its_control_is_not_evaluated() -> None:
    verdict = asked(features(signal=1.5).isel(visit=slice(1, None)))
    before = verdict.sel(control="visit_0").squeeze()
    assert np.isnan(before["control_accuracy"])
    assert np.isnan(before["control_passed"])
    assert "not recorded" in str(before["control_note"].values)
    [warning] = json.loads(verdict.attrs["warnings"])
    assert "visit 0 is not recorded" in warning


@pytest.mark.slow
def test_layers_of_one_subject_never_help_to_identify_it() -> None:
    # Each subject has a mark of its own on all its layers, and no subject says anything of its
    # rule: who splits by layer recognises the subject, who splits by subject finds nothing.
    marked = features(twins=4.0, each=20, seed=3)
    marked = marked.assign_coords(plasticity=marked["rule"])
    published = asked(marked, scheme="published", splits=3, classifiers=("random_forest",))
    assert published["balanced_accuracy"].item() > 0.5
    assert published["optimism"].item() > 0.15
    passed = published["control_passed"].squeeze()
    assert passed.sel(control="shuffled_subjects") == 0
    assert passed.sel(control=["visit_0", "metadata"]).values.tolist() == [1, 1]
    low, high = bounds(asked(marked), "interval")
    assert low <= 1 / 3 <= high


@pytest.mark.slow
def test_a_verdict_adds_up() -> None:
    dataset = features(signal=0.5)
    few = ("kernel_svm", "linear_svm", "random_forest")
    verdict = asked(dataset, observables=("activity", "all"), classifiers=few)
    assert verdict["confusion"].sum(["true_rule", "predicted_rule"]).values.tolist() == (
        [[dataset.sizes["subject"]] * len(few)] * 2
    )
    np.testing.assert_allclose(verdict["probability"].sum("predicted_rule"), 1, rtol=1e-6)
    assert verdict["true_rule"].values.tolist() == list(RULES)
    for observable in ("activity", "all"):
        for classifier in few:
            one = verdict.sel(observable=observable, classifier=classifier)
            assert one["balanced_accuracy"] == balanced_accuracy(one["confusion"].values)
    assert verdict.attrs["chance"] == pytest.approx(1 / 3)
    assert verdict.attrs["n_subjects"] == 72


def test_the_seed_and_nothing_else_decides() -> None:
    dataset = features(signal=0.4)
    xr.testing.assert_identical(asked(dataset), asked(dataset))
    assert not asked(dataset).equals(asked(dataset, seed=2))


def test_each_architecture_is_held_out_in_turn() -> None:
    names = [f"architecture: {name}" for name in sorted(LAYERS)]
    verdict = asked(features(signal=2.0), hold_out=("architecture",))
    assert verdict["held_out"].values.tolist() == names
    for name in names:
        low, _ = bounds(verdict, "held_out_interval", held_out=name)
        assert low > 1 / 3, name
    nothing = asked(features(), hold_out="architecture")
    for name in names:
        low, high = bounds(nothing, "held_out_interval", held_out=name)
        assert low <= 1 / 3 <= high, name


def test_held_out_groups_are_tested_relative_to_references() -> None:
    dataset = features(signal=2.0)
    dataset = dataset.assign_coords(task=("subject", np.resize(["even", "odd"], 72)))
    splits = ("architecture", "task", "batch_size")
    dataset = dataset.assign_coords(batch_size=("subject", np.resize([8, 16, 32], 72)))
    assert "referenced_accuracy" not in asked(dataset, hold_out=splits)
    verdict = asked(dataset, hold_out=splits, references=True)
    rules = sorted(set(dataset["rule"].values.tolist()))
    assert verdict["reference"].values.tolist() == [
        *("all rules", "10 of all rules"),
        *(f"one rule: {rule}" for rule in rules),
        *("four of five of its own rule", "its own rule"),
    ]
    referenced = verdict["referenced_accuracy"].squeeze()
    # Subjects of one batch size are of every kind.
    assert [str(name).split(":")[0] for name in referenced["held_out_kind"].values] == [
        *("architecture", "architecture", "task", "task"),
    ]
    means = referenced.mean("held_out_kind")
    # These kinds do not differ, so that their references change little.
    same = verdict["held_out_kind"].values
    unreferenced = verdict["held_out_accuracy"].squeeze().sel(held_out=same)
    assert abs(means - float(unreferenced.mean())).max() < 0.1


def test_a_kind_with_too_few_subjects_is_named_in_a_warning() -> None:
    dataset = features(signal=2.0)
    first = np.arange(72) == 0
    dataset = dataset.assign_coords(task=("subject", np.where(first, "rare", "usual")))
    verdict = asked(dataset, hold_out="architecture", references=True)
    [warning] = json.loads(verdict.attrs["warnings"])
    assert warning.startswith("without references, since a rule has fewer than two subjects")
    assert "rare" in warning
    assert "usual" not in warning


def test_several_splits_are_told_apart_by_their_names() -> None:
    dataset = features(signal=2.0)
    dataset = dataset.assign_coords(task=("subject", np.resize(["even", "odd"], 72)))
    verdict = asked(dataset, hold_out=("architecture", "task", "loss"))
    assert verdict["held_out"].values.tolist() == [
        "architecture: large", "architecture: small", "task: even", "task: odd",
    ]  # fmt: skip
    [warning] = json.loads(verdict.attrs["warnings"])
    assert warning.startswith("loss is not held out: all subjects learn by one loss")


def test_an_observable_that_was_not_measured_is_named() -> None:
    dataset = features(signal=1.0)
    dataset["change"].loc[{"change_name": "weight_step"}] = np.nan
    verdict = asked(dataset, observables=("weights", "activity"))
    assert verdict["observable"].values.tolist() == ["activity"]
    assert json.loads(verdict.attrs["warnings"]) == ["not measured by this probe: weights"]


def test_a_rule_with_too_few_subjects_is_left_out_and_that_is_said() -> None:
    dataset = features(each=6, signal=1.5)
    rules = dataset["rule"].values
    dataset = dataset.isel(subject=(rules != "sgdm") | (np.cumsum(rules == "sgdm") <= 2))
    verdict = asked(dataset, classifiers=("linear_svm",))
    assert verdict["true_rule"].values.tolist() == ["adam", "feedback"]
    assert verdict.attrs["chance"] == 0.5
    assert verdict.attrs["n_subjects"] == 24
    [warning, *_] = json.loads(verdict.attrs["warnings"])
    assert "'sgdm'" in warning
    assert "2 of its subjects remain, and 6 are needed" in warning


def test_a_rule_of_which_no_subject_is_left_is_named() -> None:
    dataset = features(each=3, signal=1.5)
    table = xr.Dataset({"rule": dataset["rule"]}).reset_coords("rule")
    lived = dataset.isel(subject=dataset["rule"].values != "adam")
    verdict = evaluate(lived, Analysis(observables=("activity",), folds=3, inner_folds=2,
                                       classifiers=("linear_svm",)), 1, subjects=table)  # fmt: skip
    assert "'adam' is left out: 0" in verdict.attrs["warnings"]


def test_subjects_that_diverged_are_named_where_too_few_are_left() -> None:
    dataset = features(each=3)
    table = xr.Dataset({"rule": dataset["rule"]}).reset_coords("rule")
    is_lost = dataset["rule"].values != "adam"
    lived = dataset.isel(subject=~is_lost)
    few = Analysis(observables=("activity",), folds=2, inner_folds=2)
    for status, remedy in (
        (
            DIVERGED,
            f"{is_lost.sum()} of {is_lost.size} subjects diverged: lower the learning rates",
        ),
        (DONE, "train more subjects"),
    ):
        found = table.assign(status=("subject", np.where(is_lost, status, DONE)))
        with pytest.raises(NotDecoded, match=rf"rules are needed \({remedy}"):
            evaluate(lived, few, 1, subjects=found)


def test_what_cannot_be_asked_is_refused_in_words() -> None:
    dataset = features(each=3)
    with pytest.raises(NotDecoded, match=r"too few subjects .* 6 of 'adam', .* where 9 of each"):
        asked(dataset, folds=3, inner_folds=3)
    one = dataset.isel(subject=dataset["rule"].values == "adam")
    with pytest.raises(NotDecoded, match="only one rule"):
        asked(one)
    of = dataset["change_observable"] == "activity"
    unmeasured = dataset.assign(change=dataset["change"].where(~of))
    with pytest.raises(NotDecoded, match="measured none of the observables to read: activity"):
        asked(unmeasured)
    with pytest.raises(NotDecoded, match="measured none of the observables to read: all"):
        asked(dataset.assign(change=dataset["change"] * np.nan), observables=("all",))


@pytest.mark.parametrize("scheme", ["strict", "published"])
def test_columns_that_are_all_constant_tell_nothing(scheme: str) -> None:
    dataset = features(each=3)
    still = dataset.assign(change=dataset["change"] * 0, stat=dataset["stat"] * 0)
    verdict = asked(still, classifiers=("linear_svm",), scheme=scheme, splits=2)
    assert 0 <= verdict["balanced_accuracy"].item() < 0.5


def test_missing_and_infinite_values_are_no_error() -> None:
    dataset = features(signal=1.5)
    dataset["change"][3] = np.nan
    dataset["change"][4] = np.inf
    low, _ = bounds(asked(dataset), "interval")
    assert low > 0.4


@pytest.mark.slow
def test_controls_cover_chance_as_often_as_they_say() -> None:
    outside = 0
    for seed in range(20):
        verdict = asked(features(each=6, seed=seed), seed, classifiers=("linear_svm",))
        for control in ("visit_0", "permuted_labels"):
            low, high = bounds(verdict, "control_interval", control=control)
            outside += not low <= 1 / 3 <= high
    # Of 40 intervals of 95 %, two lie outside on average; seven or more would be one in 200.
    assert outside < 7


@pytest.mark.parametrize(
    "settings",
    [
        {"observables": ("activity", "all"), "hold_out": ("architecture",)},
        {"scheme": "published", "classifiers": ("linear_svm",), "splits": 2, "grid": "quick"},
    ],
)
def test_there_are_as_many_steps_as_are_said(settings: dict[str, Any]) -> None:
    found = features(signal=1.5)
    analysis = Analysis(folds=3, inner_folds=2, permutations=1, **settings)
    steps: list[int] = []
    evaluate(found, analysis, 1, step=lambda: steps.append(1))
    assert len(steps) == n_steps(found, analysis)


@pytest.mark.slow
def test_theory_is_decoded_beside_the_others_and_changes_none_of_them() -> None:
    dataset = with_theory(features(), signal=1.5)
    verdict = asked(dataset, observables=("activity", "all", "theory"))
    low, _ = bounds(verdict.sel(observable=["theory"]), "interval")
    assert low > 0.5
    passed = verdict["control_passed"].sel(observable="theory").squeeze()
    assert (passed.sel(control=["visit_0", "step_matched"]) == 1).all()
    without = asked(features(), observables=("activity", "all"))
    xr.testing.assert_equal(
        verdict["balanced_accuracy"].sel(observable=["activity", "all"]),
        without["balanced_accuracy"],
    )


def test_theory_that_tells_nothing_is_at_chance() -> None:
    low, high = bounds(
        asked(with_theory(features(signal=2.0)), observables=("theory",)), "interval"
    )
    assert low <= 1 / 3 <= high


def test_theory_that_no_later_visit_defines_is_not_measured() -> None:
    dataset = with_theory(features())
    theory = dataset["change_observable"] == "theory"
    later = dataset["visit"] > 0
    dataset["change"] = dataset["change"].where(~(theory & later))
    with pytest.raises(NotDecoded, match="none of the observables to read: theory"):
        asked(dataset, observables=("theory",))
    [warning] = json.loads(asked(dataset, observables=("theory", "all")).attrs["warnings"])
    assert warning == "not measured by this probe: theory"


def test_theory_is_not_measured_by_one_visit() -> None:
    once = with_theory(features()).isel(visit=[0])
    with pytest.raises(NotDecoded, match="none of the observables to read: theory"):
        asked(once, observables=("theory",))
