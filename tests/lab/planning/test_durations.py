"""Estimated durations of recording and decoding, and the precision of an accuracy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scipy.stats import beta

from tests.protocol.texts import protocol
from virtuallab.decoder import Analysis
from virtuallab.decoder.classifiers.linear_svm import LinearSVM
from virtuallab.decoder.controls import OF_DESIGNS
from virtuallab.lab.planning import durations
from virtuallab.lab.planning.durations import decoding_seconds, precision, recording_seconds
from virtuallab.lab.planning.network_group import NetworkGroup, network_groups
from virtuallab.probes import GaussianNoise, Probe
from virtuallab.protocol import expand
from virtuallab.subject.subject import Subject

VISITS = 5
ACTIVITY = ("activity",)


def subjects(rules: int = 2, each: int = 4) -> tuple[Subject, ...]:
    more = "".join(f"\n    - {{name: backprop, label: rule{n}}}" for n in range(2, rules))
    made = protocol(
        ("[knet4]", "[{name: mlp, hidden: [4]}]"),
        ("    - {name: backprop, label: sgdm}", "    - {name: backprop, label: sgdm}" + more),
        ("replicates: 2", f"replicates: {each}"),
    )
    return expand(made)


@pytest.fixture
def group() -> NetworkGroup:
    [found] = network_groups(subjects())
    assert len(found.members) == 8
    return found


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let the preparation of a visit take 10 ms; the list has the visits that were prepared."""
    prepared: list[int] = []

    def seconds(_: NetworkGroup, visits: int) -> float:
        prepared.append(visits)
        return 0.01 * visits

    monkeypatch.setattr(durations, "_timed", seconds)
    return prepared


def test_a_recording_takes_its_preparation_and_a_time_for_each_number(
    group: NetworkGroup, timed: list[int]
) -> None:
    numbers = VISITS * group.n_stimuli * (4 + 10)
    seconds = recording_seconds([group], {"p": Probe(observables=ACTIVITY)}, VISITS)
    assert seconds == pytest.approx(8 * (0.05 + 0.02 + 1e-7 * numbers))
    assert timed == [1, VISITS]


def test_noise_is_recorded_once_more_and_changes_take_three_preparations(
    group: NetworkGroup, timed: list[int]
) -> None:
    plain = Probe(observables=ACTIVITY)
    noisy = Probe(observables=ACTIVITY, noise=GaussianNoise(snr=1.0))
    changes = Probe(observables=("activity_change",))
    numbers = 1e-7 * VISITS * group.n_stimuli
    nothing, one, two, three = (
        recording_seconds([group], probes, VISITS) / 8
        for probes in ({}, {"p": plain}, {"p": noisy}, {"p": changes})
    )
    assert nothing == pytest.approx(0.05)
    assert two - nothing == pytest.approx(2 * (one - nothing))
    assert three - nothing == pytest.approx(0.02 + 2 * numbers + 3 * 0.05), "two layers"
    both = recording_seconds([group], {"p": plain, "q": changes}, VISITS) / 8
    assert both - nothing == pytest.approx(one + three - 2 * nothing)


def test_after_a_second_of_preparations_other_groups_are_taken_for_alike(
    group: NetworkGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[str] = []

    def seconds(of: NetworkGroup, visits: int) -> float:
        prepared.append(of.name)
        return 0.3 * visits

    monkeypatch.setattr(durations, "_timed", seconds)
    others = [NetworkGroup(name, group.architecture, group.task, (0, 1)) for name in ("b", "c")]
    assert recording_seconds([group, *others], {}, VISITS) == pytest.approx(12 * 1.5)
    assert prepared == ["mlp"], "1.5 s are estimated from one visit, and end the budget"


def test_without_subjects_recording_takes_no_time() -> None:
    assert recording_seconds([], {"p": Probe()}, VISITS) == 0


def test_a_preparation_is_measured_where_it_is_not_replaced(group: NetworkGroup) -> None:
    assert 0 < recording_seconds([group], {}, 2) < 8 * 5


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each fit take a second."""
    monkeypatch.setattr(LinearSVM, "cost", (1.0, 0.0))


STRICT = Analysis(
    classifiers=("linear_svm",),
    observables=ACTIVITY,
    folds=5,
    inner_folds=3,
    repeats=1,
    permutations=2,
)
# Three costs in three inner folds, three fits for the calibration, and the last fit; in each fold
# for the recording, two permutations, three controls and two passes for the diagnostics.
FITS = 5 * (3 * 3 + 3 + 1) * (1 + 2 + 3 + 2)


@pytest.mark.usefixtures("counted")
def test_fits_of_a_strict_analysis_are_counted() -> None:
    def fits(analysis: Analysis, **settings: int) -> float:
        return decoding_seconds({"main": analysis}, subjects(**settings), ("p",), VISITS)

    assert fits(STRICT) == FITS
    assert fits(STRICT, rules=3) == FITS + 5 * 3, "each rule is left out in each fold"
    repeated = replace(STRICT, repeats=3)
    assert fits(repeated) == FITS + 5 * 2 * 3 * (3 * 3 + 1), "three accuracies are repeated"
    assert fits(replace(STRICT, others=("sgdm",)), rules=3) == FITS, "two rules remain"
    assert fits(replace(STRICT, others=("sgdm",))) == 0, "one rule cannot be decoded"


@pytest.mark.usefixtures("counted")
def test_fits_of_a_published_analysis_are_counted() -> None:
    grid = LinearSVM().grid("quick", durations._like(["a"] * 8, len(durations.PUBLISHED), VISITS))
    published = replace(STRICT, scheme="published", splits=4)
    found = decoding_seconds({"main": published}, subjects(), ("p",), VISITS)
    assert found == 4 * 2 * (5 * len(grid) + 1)


@pytest.mark.usefixtures("counted")
def test_each_probe_observable_classifier_and_analysis_is_decoded_by_itself() -> None:
    def seconds(*analyses: Analysis) -> float:
        named = {str(number): each for number, each in enumerate(analyses)}
        return decoding_seconds(named, subjects(), ("p", "q"), VISITS)

    two = replace(STRICT, observables=("activity", "weights"))
    twice = replace(STRICT, classifiers=("linear_svm", "linear_svm"))
    assert seconds(STRICT) == seconds(replace(STRICT, probes=("q",))) * 2 == 2 * FITS
    assert seconds(two) == seconds(twice) == seconds(STRICT, STRICT) == 4 * FITS
    assert seconds(replace(STRICT, probes=("absent",))) == seconds() == 0


def test_a_fit_takes_longer_for_more_subjects_and_visits() -> None:
    def seconds(each: int, visits: int) -> float:
        return decoding_seconds({"main": STRICT}, subjects(each=each), ("p",), visits)

    assert seconds(4, 2) < seconds(8, 2) < seconds(8, 5)
    assert seconds(8, 8) == seconds(8, 100), "visits are averaged in seven stages"


def test_all_controls_of_designs_are_counted() -> None:
    assert len(OF_DESIGNS) == durations.CONTROLS


@pytest.mark.parametrize(("each", "rules"), [(4, 2), (20, 2), (20, 4)])
def test_the_precision_is_half_the_interval_of_an_accuracy_of_70_percent(
    each: int, rules: int
) -> None:
    text = precision(subjects(rules, each))
    assert text.startswith(f"{each} subjects of each of {rules} rules: an accuracy of 0.70 is")
    number = each * rules / (1.4 + 0.5 / Analysis().repeats)
    low, high = beta.ppf([0.025, 0.975], 0.7 * number + 0.5, 0.3 * number + 0.5)
    assert float(text.split("± ")[1].split()[0]) == pytest.approx((high - low) / 2, abs=0.006)


def test_numbers_of_subjects_are_given_as_a_range_where_rules_differ() -> None:
    some = subjects(each=3)
    assert precision(some[:-2]).startswith("1 to 3 subjects of each of 2 rules: ")
    assert precision(subjects(each=1)).startswith("1 subject of each of 2 rules: ")


def test_a_single_rule_has_no_accuracy() -> None:
    assert precision(subjects()[:4]) == ""
    assert precision(()) == ""
