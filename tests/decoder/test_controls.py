from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from tests.decoder.synthetic import RULES, VISITS, features
from virtuallab.decoder import Analysis
from virtuallab.decoder.controls import OF_DESIGNS, evaluate_controls, strict_controls
from virtuallab.decoder.controls.common.chance import (
    INFLATION,
    accuracy_at_chance,
    at_chance,
    guessing,
    holm,
)
from virtuallab.decoder.controls.common.control import ControlResult
from virtuallab.decoder.controls.common.matching import detectable, equally_many, overlap_weights
from virtuallab.decoder.controls.shuffled_subjects import ShuffledSubjects
from virtuallab.decoder.features.samples import Samples, by_layer, by_subject
from virtuallab.decoder.schemes.cross_validation import cross_validate
from virtuallab.decoder.tables import control_table, with_corrected_controls
from virtuallab.decoder.task import DecodingTask
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy
from virtuallab.registry import CLASSIFIERS


def task(dataset: xr.Dataset, seed: int = 1, **settings: object) -> DecodingTask:
    """Identify rules from activity by a linear machine."""
    given: dict[str, object] = {
        "classifier": CLASSIFIERS["linear_svm"](),
        "samples": by_subject(dataset, "activity"),
        "observable": "activity",
        "analysis": Analysis(folds=3, inner_folds=2, permutations=1, repeats=1, splits=3),
    }
    return DecodingTask(features=dataset, seed=seed, **(given | settings))  # type: ignore[arg-type]


def evaluated(name: str, of: DecodingTask) -> ControlResult:
    [check] = evaluate_controls(of, (name,))
    assert check.name == name
    return check


def corrected(checks: list[ControlResult]) -> list[float]:
    """Outcomes of controls after the correction for multiple tests."""
    table = with_corrected_controls(control_table(checks).assign_attrs(confidence=0.95))
    return [float(passed) for passed in table["control_passed"]]


def with_columns(dataset: xr.Dataset, **columns: object) -> xr.Dataset:
    return dataset.assign_coords(
        {name: ("subject", np.asarray(values)) for name, values in columns.items()}
    )


def number_of(dataset: xr.Dataset) -> np.ndarray:
    return np.array([RULES.index(str(rule)) for rule in dataset["rule"].values])


def curves(dataset: xr.Dataset, apart: float, seed: int = 0) -> xr.DataArray:
    """Learning curves whose ends differ between rules, in standard deviations of a subject."""
    stream = np.random.default_rng(seed)
    count = dataset.sizes["subject"]
    end = 0.8 + 0.05 * (apart * number_of(dataset) + stream.standard_normal(count))
    values = end[:, None] * np.linspace(0.2, 1, VISITS)
    return xr.DataArray(
        values,
        dims=("subject", "visit"),
        coords={"subject": dataset["subject"], "visit": dataset["visit"]},
    )


def reading(dataset: xr.Dataset, performance: xr.DataArray) -> xr.Dataset:
    """Features that tell how well a subject learned, and nothing else."""
    end = performance.isel(visit=-1).to_numpy()
    told = (end - end.mean()) / end.std()
    return dataset.assign(change=dataset["change"] + 5 * xr.DataArray(told, dims="subject"))


def crossed(seed: int = 0, **planted: float) -> xr.Dataset:
    """Subjects whose batch size, steps and learning rate have nothing to do with their rule."""
    dataset = features(seed=seed, **planted)  # type: ignore[arg-type]
    count, stream = dataset.sizes["subject"], np.random.default_rng([seed, 1])
    return with_columns(
        dataset,
        plasticity=dataset["rule"].values,
        batch_size=stream.choice([16, 32], count),
        steps=stream.choice([100, 200, 400], count),
        learning_rate=10 ** stream.uniform(-3, -1, count),
    )


def test_every_control_is_returned_in_order_also_where_it_was_not_evaluated() -> None:
    checks = evaluate_controls(task(features(signal=1.5)))
    assert [check.name for check in checks] == list(strict_controls())
    absent = {check.name: check.note for check in checks if not check.evaluated}
    # What is planted lies in the steps as well.
    assert absent.pop("step_matched").startswith("rules differ too much in")
    assert absent.pop("metadata").startswith("the settings of the subjects were not given")
    assert absent == {
        "schedule": "the length of training is not known",
        "learning_rate": "learning rates are not known",
        "performance": "no learning curve is known",
        "performance_matched": "no learning curve is known",
        "schedule_matched": "the length of training is not known",
    }
    assert not any(check.passed for check in checks if not check.evaluated)
    assert set(OF_DESIGNS) <= set(strict_controls())


def test_a_planted_rule_passes_every_control() -> None:
    dataset = crossed(signal=2.0, each=20)
    checks = evaluate_controls(task(dataset, performance=curves(dataset, 0.0)))
    # What is planted lies in the steps as well, so that no two rules have equal ones.
    assert {check.name for check in checks if not check.evaluated} == {"step_matched"}
    failed = [c.name for c, passed in zip(checks, corrected(checks), strict=True) if passed != 1]
    assert failed == ["step_matched"]
    assert {check.kind for check in checks} == {"chance", "beat", "survive"}


def test_where_nothing_is_planted_false_alarms_are_as_rare_as_stated() -> None:
    tables = [
        evaluate_controls(task(crossed(seed, each=8), seed), strict_controls()[:4])
        for seed in range(25)
    ]
    alone = [check for table in tables for check in table]
    assert all(check.kind == "chance" and check.evaluated for check in alone)
    # Of 100 at 95 %, five fail alone on average at most; 12 or more would be one in 200.
    assert sum(not check.passed for check in alone) < 12
    # Of 25 tables one on average at most; six or more would be one in 1,000.
    assert sum(not all(corrected(table)) for table in tables) < 6
    # All of them as one table: a single alarm is one in twenty.
    assert sum(not passed for passed in corrected(alone)) <= 1


@pytest.mark.parametrize(("rules", "each", "folds"), [(4, 12, 5), (3, 12, 3)])
def test_cross_validated_noise_scatters_as_much_more_than_guesses_as_is_allowed_for(
    rules: int, each: int, folds: int
) -> None:
    classes = [f"rule {number}" for number in range(rules)]
    labels = np.repeat(classes, each)
    found = []
    for seed in range(120):
        values = np.random.default_rng(seed).standard_normal((len(labels), 20))
        outcome = cross_validate(
            CLASSIFIERS["linear_svm"](),
            Samples(values, labels, np.arange(len(labels)), 1),
            classes,
            folds=folds,
            inner_folds=2,
            seed=seed,
            select=False,
        )
        found.append(balanced_accuracy(outcome.confusion))
    chance, allowed = guessing(np.full(rules, float(each)))
    binomial = allowed / INFLATION
    # The standard error of the ratio is 6 %.
    assert 1.0 < np.std(found) / binomial < INFLATION * 1.1
    assert abs(np.mean(found) - chance) < 0.02


def test_a_guess_scatters_as_its_closed_form_says() -> None:
    counts, stream = np.array([30.0, 12.0, 7.0]), np.random.default_rng(0)
    shares = stream.binomial(counts.astype(int), 1 / 3, size=(20_000, 3)) / counts
    chance, sd = guessing(counts)
    assert chance == pytest.approx(1 / 3)
    assert shares.mean(1).std() == pytest.approx(sd / INFLATION, rel=0.02)


def test_a_control_fails_exactly_where_guessing_is_rarely_as_accurate() -> None:
    for right in range(10, 26):
        confusion = np.full((2, 2), 0.0)
        np.fill_diagonal(confusion, right)
        confusion[0, 1] = confusion[1, 0] = 25 - right
        check = at_chance("visit_0", confusion, 0.95)
        assert check.passed == (check.p_value >= 0.05)
        assert check.n_subjects == 50
        assert 0 <= check.low <= check.accuracy <= check.high <= 1
        # The test is one-sided and the interval two-sided, so the test fails at least as early.
        assert not (check.passed and check.low > 0.5)
        assert check.passed or check.low > 0.5 - 0.06


def test_intervals_of_controls_hold_chance_as_often_as_they_say() -> None:
    counts, stream = np.array([20.0, 20.0, 20.0, 20.0]), np.random.default_rng(0)
    chance, sd = guessing(counts)
    drawn = chance + sd * stream.standard_normal(4_000)
    found = [accuracy_at_chance("visit_0", float(each), counts, 0.95) for each in drawn]
    held = np.mean([each.low <= chance <= each.high for each in found])
    assert held == pytest.approx(0.95, abs=0.012)
    failed = np.mean([not each.passed for each in found])
    assert failed == pytest.approx(0.05, abs=0.012)


def test_several_controls_share_one_chance_of_luck() -> None:
    # Holm: 0.011 <= 0.05 / 4, 0.02 > 0.05 / 3, and so no further one is rejected.
    found = holm(np.array([0.03, 0.011, 0.8, 0.02]), 0.95)
    assert found.tolist() == [False, True, False, False]
    assert not holm(np.array([0.01, *[0.5] * 23]), 0.95).any()
    assert holm(np.array([1e-6, *[0.5] * 23]), 0.95).tolist() == [True, *[False] * 23]
    assert holm(np.array([]), 0.95).size == 0


def test_only_controls_that_must_be_at_chance_are_judged_together() -> None:
    beaten = ControlResult("b", "beat", 0.4, 0.3, 0.5, False, 50)
    absent = ControlResult("c", "chance", math.nan, math.nan, math.nan, False, 50)
    red = ControlResult("d", "chance", 0.5, 0.4, 0.6, False, 50, p_value=0.04)
    assert corrected([beaten, absent, red])[0] == 0
    assert math.isnan(corrected([beaten, absent, red])[1])
    assert corrected([beaten, absent, red])[2] == 0


def test_a_rule_written_into_the_first_visit_turns_visit_0_red() -> None:
    assert evaluated("visit_0", task(features())).passed
    forest = CLASSIFIERS["random_forest"]()
    check = evaluated("visit_0", task(features(first_visit=2.0), classifier=forest))
    assert not check.passed
    assert not corrected([check] * 24)[0]


def test_visit_0_is_not_evaluated_where_it_was_not_recorded() -> None:
    check = evaluated("visit_0", task(features().isel(visit=slice(1, None))))
    assert (check.evaluated, check.passed, check.note) == (False, False, "visit 0 was not recorded")


def test_a_rule_that_goes_with_a_network_turns_metadata_red() -> None:
    confounded = with_columns(features(), plasticity=features()["rule"].values)
    assert evaluated("metadata", task(confounded)).passed
    large = np.random.default_rng(0).random(72) < np.array([0.1, 0.5, 0.9])[number_of(confounded)]
    confounded = with_columns(confounded, architecture=np.where(large, "large", "small"))
    assert not evaluated("metadata", task(confounded)).passed


def decided(dataset: xr.Dataset, **columns: object) -> xr.Dataset:
    """What was decided about subjects, with the parts that a laboratory notes."""
    found = xr.Dataset(
        {name: ("subject", np.asarray(values)) for name, values in columns.items()},
        {"subject": dataset["subject"]},
    )
    for name in {"momentum", "weight_decay", "learning_rate"} & set(found):
        found[name].attrs["part"] = "optimizer"
    return found


@pytest.mark.parametrize(
    "name", ["loss", "momentum", "optimizer", "weight_decay", "steps", "curriculum"]
)
def test_a_setting_that_goes_with_a_rule_turns_metadata_red(name: str) -> None:
    dataset = features()
    number = number_of(dataset)
    tied = {
        "loss": np.array(["cross_entropy", "squared_error"], dtype=object)[(number == 1) + 0],
        "momentum": np.array([0.9, 0.5, 0.9])[number],
        "optimizer": np.array(["sgd", "adam", "sgd"], dtype=object)[number],
        "weight_decay": np.array([0.0, 0.0, 0.01])[number],
        "steps": np.array([100, 100, 200])[number],
        "curriculum": np.array(["shuffled", "blocked", "shuffled"], dtype=object)[number],
    }[name]
    rules = np.array(RULES, dtype=object)[number]
    subjects = decided(dataset, plasticity=rules, **{name: tied})
    check = evaluated("metadata", task(dataset, subjects=subjects))
    assert not check.passed
    assert name.replace("_", " ") in check.note


def test_metadata_is_not_evaluated_without_the_settings_that_tell_rules_from_optimizers() -> None:
    """Without them, the optimizer of Adam beside gradient descent would count as a confound."""
    dataset = features()
    optimizers = np.array(["adam", "sgd", "sgd"], dtype=object)[number_of(dataset)]
    bare = task(with_columns(dataset, optimizer=optimizers))
    some = replace(bare, subjects=decided(dataset, momentum=np.full(72, 0.9)))
    for check in (evaluated("metadata", bare), evaluated("metadata", some)):
        assert not check.evaluated
        assert check.note.startswith("the settings of the subjects were not given")
        assert "`plasticity`" in check.note


def test_what_two_entries_of_one_rule_differ_in_is_part_of_the_rule_and_no_metadata() -> None:
    """Adam beside gradient descent: the optimizer is the answer, and so is its lack of momentum."""
    dataset = features()
    number = number_of(dataset)
    subjects = decided(
        dataset,
        plasticity=np.array(["backprop", "feedback", "backprop"], dtype=object)[number],
        optimizer=np.array(["adam", "sgd", "sgd"], dtype=object)[number],
        momentum=np.array([np.nan, 0.9, 0.9])[number],
    )
    check = evaluated("metadata", task(dataset, subjects=subjects))
    assert check.passed
    assert "optimizer" not in check.note
    # Two entries of one rule and optimizer that differ in momentum ask for the momentum.
    momenta = decided(
        dataset,
        plasticity=np.array(["backprop", "feedback", "backprop"], dtype=object)[number],
        optimizer=np.array(["sgd"] * 72, dtype=object),
        momentum=np.array([0.5, 0.9, 0.9])[number],
    )
    assert evaluated("metadata", task(dataset, subjects=momenta)).passed


def test_a_learning_rate_is_no_metadata_but_a_control_of_its_own() -> None:
    dataset = features()
    subjects = decided(
        dataset,
        plasticity=np.array(RULES, dtype=object)[number_of(dataset)],
        learning_rate=10.0 ** -number_of(dataset),
    )
    assert evaluated("metadata", task(dataset, subjects=subjects)).passed


def test_what_is_the_same_for_all_subjects_tells_nothing() -> None:
    alike = with_columns(
        features(), plasticity=["backprop"] * 72, architecture=["small"] * 72, steps=[100] * 72
    )
    for name in ("metadata", "schedule"):
        check = evaluated(name, task(alike))
        assert (check.accuracy, check.passed) == (pytest.approx(1 / 3), True), name
        assert "all subjects" in check.note


def test_a_rule_that_learns_longer_turns_the_schedule_red_and_leaves_nobody_to_match() -> None:
    dataset = features(signal=1.5)
    uneven = with_columns(dataset, steps=100 * (1 + number_of(dataset)))
    red, left = evaluate_controls(task(uneven), ("schedule", "schedule_matched"))
    assert not red.passed
    assert not left.evaluated
    assert left.note == "0 subjects matched, 0 of the rarest rule; each rule needs 6"


def test_a_rule_that_is_recorded_at_other_steps_turns_the_schedule_red() -> None:
    dataset = features()
    steps = np.arange(VISITS) * 10 * (1 + number_of(dataset))[:, None]
    own = dataset.assign_coords(step=(("subject", "visit"), steps))
    assert not evaluated("schedule", task(own)).passed
    common = dataset.assign_coords(step=("visit", np.arange(VISITS) * 10))
    assert evaluated("schedule", task(common)).passed


def test_a_learning_rate_that_falls_for_one_rule_only_turns_the_schedule_red() -> None:
    dataset = features()
    falls = np.where(number_of(dataset) == 0, 0.1, np.nan)
    subjects = xr.Dataset(
        {"learning_rate_decay": ("subject", falls), "steps": ("subject", np.full(72, 100))},
        coords={"subject": dataset["subject"]},
    )
    assert not evaluated("schedule", task(dataset, subjects=subjects)).passed


def test_where_schedules_do_not_differ_the_recordings_own_accuracy_is_the_answer() -> None:
    dataset = features(signal=1.5)
    of = task(dataset).with_result()
    assert of.result is not None
    for steps in ([100] * 72, [100, 200] * 36):
        check = evaluated(
            "schedule_matched", replace(of, features=with_columns(dataset, steps=steps))
        )
        assert check.accuracy == balanced_accuracy(of.result.confusion)
        assert (check.n_subjects, check.passed) == (72, True)


def test_a_schedule_is_kept_as_often_under_every_rule() -> None:
    dataset = features(signal=2.0)
    first = np.arange(72) % 24 < np.array([6, 12, 18])[number_of(dataset)]
    some = with_columns(dataset, steps=np.where(first, 100, 200))
    check = evaluated("schedule_matched", task(some))
    assert check.n_subjects == 3 * (6 + 6)
    assert check.passed


def test_matching_keeps_equally_many_of_each_rule_in_each_group() -> None:
    stream = np.random.default_rng(0)
    groups, labels = stream.choice(list("abcd"), 200), stream.choice(list("xyz"), 200)
    rows = equally_many(groups, labels, stream)
    assert len(set(rows.tolist())) == len(rows)
    for group in "abcd":
        counts = {r: ((groups == group) & (labels == r)).sum() for r in "xyz"}
        for rule in "xyz":
            kept = ((groups[rows] == group) & (labels[rows] == rule)).sum()
            assert kept == min(counts.values())


def test_a_recording_that_only_tells_how_well_a_subject_learned_beats_no_learning_curve() -> None:
    dataset = features(each=40)
    performance = curves(dataset, 1.5)
    told = task(reading(dataset, performance), performance=performance).with_result()
    assert told.result is not None
    assert balanced_accuracy(told.result.confusion) > 0.5
    beat, survive = evaluate_controls(told, ("performance", "performance_matched"))
    assert not beat.passed
    assert beat.difference is not None
    assert beat.difference[1] <= 0 <= beat.difference[2] or beat.difference[2] < 0
    assert survive.evaluated
    assert not survive.passed


def test_a_recording_that_tells_more_than_the_learning_curve_beats_and_survives_it() -> None:
    dataset = features(each=40, signal=2.0)
    beat, survive = evaluate_controls(
        task(dataset, performance=curves(dataset, 0.7)), ("performance", "performance_matched")
    )
    assert beat.passed
    assert beat.accuracy > 0.4
    assert beat.difference is not None
    assert beat.difference[1] > 0
    assert survive.passed
    assert survive.n_subjects < 240


def test_weighted_subjects_learned_as_well_as_one_another() -> None:
    dataset = features(each=40, signal=2.0)
    check = evaluated("performance_matched", task(dataset, performance=curves(dataset, 0.7)))
    after, before = (float(word) for word in re.findall(r"by (\d\.\d+)", check.note))
    assert after < before / 4
    # Most subjects count; matching in bins kept a tenth of them.
    assert 120 < check.n_subjects < 240


def test_weights_make_numbers_alike_under_every_rule_in_each_stratum() -> None:
    stream = np.random.default_rng(0)
    labels, strata = stream.choice(list("xyz"), 600), stream.choice(["small", "large"], 600)
    shift = np.array([{"x": 0.0, "y": 0.8, "z": 1.2}[rule] for rule in labels])
    values = stream.standard_normal((600, 2)) + shift[:, None] * np.array([1, -0.5])
    weights = overlap_weights(values, labels, strata)
    for stratum in ("small", "large"):
        for column in values.T:
            means = [
                np.average(column[mine], weights=weights[mine])
                for rule in "xyz"
                if (mine := (labels == rule) & (strata == stratum)).any()
            ]
            assert np.ptp(means) < 0.12  # 1.2 and 0.6 before


def test_the_power_of_a_control_is_what_it_says() -> None:
    tested = np.full(4, 20.0)
    least = detectable(tested, 0.95)
    stream = np.random.default_rng(0)
    chance, sd = guessing(tested)
    found = least + sd * stream.standard_normal(4_000)
    assert np.mean(found > chance + 1.645 * sd) == pytest.approx(0.8, abs=0.03)


def test_where_rules_never_learn_as_well_as_one_another_none_of_them_counts() -> None:
    dataset = features(signal=1.5)
    check = evaluated("performance_matched", task(dataset, performance=curves(dataset, 20.0)))
    assert not check.evaluated
    assert "rules differ too much in" in check.note


@pytest.mark.parametrize(("name", "survives"), [("act_step", False), ("act_cosine_start", True)])
def test_what_is_told_by_the_size_of_changes_does_not_survive_equal_sizes(
    name: str, survives: bool
) -> None:
    dataset = features(each=40)
    own = 0.5 * np.random.default_rng(5).standard_normal(dataset.sizes["subject"])
    told = xr.DataArray(0.5 * number_of(dataset) + own, dims="subject")
    planted = dataset["change"].copy()
    here = {"change_name": list(planted["change_name"].values).index(name)}
    planted[here] = 0.1 * planted[here] + told
    check = evaluated("step_matched", task(dataset.assign(change=planted)))
    assert check.evaluated
    assert check.passed == survives


def test_without_movement_there_are_no_steps_to_match() -> None:
    check = evaluated("step_matched", task(features().isel(visit=[0])))
    assert (check.evaluated, check.note) == (
        False,
        "changes need two recorded visits",
    )


def test_too_few_subjects_that_are_alike_are_not_called_different() -> None:
    dataset = features(each=2)
    alike = xr.full_like(curves(dataset, 0.0), 0.5)
    labels = dataset["rule"].values.tolist()
    one_of_each = alike.isel(subject=sorted(map(labels.index, set(labels))))
    some = task(dataset, performance=one_of_each.reindex_like(alike))
    check = evaluated("performance_matched", some)
    assert check.note == "too few subjects: 3 count after weighting by final accuracies"


def test_few_subjects_that_differ_by_chance_are_not_called_different() -> None:
    dataset = features(each=3)
    spread = np.random.default_rng(0).normal(0.5, 0.1, dataset.sizes["subject"])
    drawn = xr.zeros_like(curves(dataset, 0.0)) + xr.DataArray(spread, dims="subject")
    check = evaluated("performance_matched", task(dataset, performance=drawn))
    assert check.note.startswith("too few subjects: ")


def test_a_subject_without_a_final_performance_has_no_weight() -> None:
    dataset = features(signal=2.0, each=20)
    performance = curves(dataset, 0.0)
    some = task(dataset, performance=performance[::2].reindex_like(performance))
    assert evaluated("performance_matched", some).n_subjects <= 60
    none = task(dataset, performance=performance * np.nan)
    assert not evaluated("performance_matched", none).evaluated


def test_learning_curves_belong_to_subjects_by_name_and_to_recorded_visits() -> None:
    dataset = features(signal=0.7, each=15)
    performance = curves(dataset, 1.0)
    turned = performance.isel(subject=slice(None, None, -1))
    later = dataset.isel(visit=slice(1, None))
    for seen in (dataset, later):
        one, other = (
            evaluate_controls(task(seen, performance=given), ("performance", "performance_matched"))
            for given in (performance, turned)
        )
        assert one == other


def test_a_learning_rate_that_tells_the_rule_must_be_beaten() -> None:
    for signal, passes in ((0.0, False), (3.0, True)):
        dataset = features(signal=signal)
        stream = np.random.default_rng(0)
        rates = 10 ** (-3 + 0.3 * number_of(dataset) + stream.uniform(-0.5, 0.5, 72))
        check = evaluated("learning_rate", task(with_columns(dataset, learning_rate=rates)))
        assert check.accuracy > 0.45
        assert check.passed == passes


def test_sister_layers_on_both_sides_of_a_split_turn_shuffled_subjects_red() -> None:
    for twins, passes in ((0.0, True), (4.0, False)):
        dataset = features(twins=twins, each=10, seed=3)
        layers = by_layer(dataset, "activity")
        forest = CLASSIFIERS["random_forest"]()
        check = ShuffledSubjects().evaluate(task(dataset, samples=layers, classifier=forest))
        assert (check.name, check.kind) == ("shuffled_subjects", "chance")
        assert check.passed == passes, check
        assert check.n_subjects <= 60


def test_the_seed_and_nothing_else_decides() -> None:
    dataset = crossed(signal=0.7, each=10)
    performance = curves(dataset, 0.5)
    one, again, other = (
        evaluate_controls(task(dataset, seed, performance=performance)) for seed in (1, 1, 2)
    )
    assert one == again
    assert one != other
