"""Treatments of kinds, on planted features of kinds that lie apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studies.factorial import treatment_tables, treatments
from studies.factorial.learning_time import aligned, progress
from studies.factorial.left_out import PENALTY, left_out_scores
from studies.factorial.representations import (
    AndScaled,
    Recoloured,
    Scaled,
    by_kind,
)
from studies.factorial.subjects import Recorded
from studies.factorial.treatment_tables import accuracy, chosen_inside, gain
from studies.factorial.treatments import (
    AS_THEY_ARE,
    CENTRED,
    TREATMENTS,
    Treatment,
    hold_out_kinds,
    kind_weights,
)
from tests.studies.test_factorial import recorded
from virtuallab.decoder.features.samples import Samples, by_subject
from virtuallab.decoder.reference_choices import ALL_RULES, NO_REFERENCES, OWN_RULE

MACHINE = "kernel_svm"


def shifted(apart: Recorded, far: float) -> Recorded:
    """Subjects whose kinds lie apart, with other spreads."""
    stream = np.random.default_rng(1)
    samples = apart.samples("activity")
    names, place = np.unique(apart.kinds, return_inverse=True)
    move = far * stream.standard_normal((len(names), samples.values.shape[1]))
    found = Recorded(apart.features, apart.table, apart.settings)
    values = samples.values * (1 + far * np.arange(len(names)) / 10)[place, None] + move[place]
    found._samples["activity"] = replace(samples, values=values)
    return found


@pytest.fixture(scope="module")
def kinds_apart() -> Recorded:
    return shifted(recorded(3.0), 6.0)


def of(name: str) -> Treatment:
    [found] = [each for each in TREATMENTS if each.name == name]
    return found


def held_out(
    of_kinds: Recorded, treatment: Treatment, classifier: str = MACHINE
) -> dict[str, float]:
    found = hold_out_kinds(treatment, of_kinds.samples("activity"), of_kinds.kinds, classifier)
    if classifier == MACHINE:
        assert set(found.inside) == set(of_kinds.kinds.tolist())
    return {
        choice: accuracy(of_kinds.labels, predicted, of_kinds.kinds).value
        for choice, predicted in found.predicted.items()
    }


def test_references_help_where_kinds_lie_apart_and_those_of_its_own_rule_do_not(
    kinds_apart: Recorded,
) -> None:
    plain = held_out(kinds_apart, AS_THEY_ARE)
    assert set(plain) == {NO_REFERENCES}
    for name in ("centred", "scaled"):
        found = held_out(kinds_apart, of(name))
        assert found[ALL_RULES] > plain[NO_REFERENCES] + 0.1, name
        assert found[OWN_RULE] < found[ALL_RULES] - 0.1, name


def test_values_as_they_are_stay_beside_the_relative_ones(kinds_apart: Recorded) -> None:
    values = kinds_apart.samples("activity").values
    both, one = (each.of(values, kinds_apart.kinds) for each in (AndScaled, Scaled))
    found = both.relative(values[:3], values[5:30])
    expected = np.concatenate([values[:3], one.relative(values[:3], values[5:30])], axis=1)
    np.testing.assert_array_equal(found, expected)


def test_spreads_of_kinds_are_made_alike(kinds_apart: Recorded) -> None:
    values, kinds = kinds_apart.samples("activity").values, kinds_apart.kinds
    scaled = by_kind(Scaled.of(values, kinds), values, kinds)
    spreads = [np.median(scaled[kinds == kind].std(0)) for kind in np.unique(kinds)]
    before = [np.median(values[kinds == kind].std(0)) for kind in np.unique(kinds)]
    assert max(spreads) / min(spreads) < 1.7  # shrunk, with 17 subjects of a kind
    assert max(before) / min(before) > 2.2
    one = Scaled.of(values, kinds).relative(values[:1], values[:1])
    assert np.isfinite(one).all()


def test_recoloured_kinds_have_one_covariance() -> None:
    stream = np.random.default_rng(0)
    kinds = np.repeat(["a", "b", "c"], 400)
    turned = np.linalg.qr(stream.standard_normal((3, 4, 4)))[0]
    mixing = np.repeat(turned * np.array([0.6, 0.8, 1.2, 1.8]), 400, axis=0)
    values = np.einsum("sij,sj->si", mixing, stream.standard_normal((1200, 4)))
    found = by_kind(Recoloured.of(values, kinds), values, kinds)
    one, other, third = (np.cov(found[kinds == kind].T) for kind in "abc")
    scale = np.diag(one).max()
    np.testing.assert_allclose(other, one, atol=0.1 * scale)
    np.testing.assert_allclose(third, one, atol=0.1 * scale)


def test_scores_without_a_group_are_those_of_a_machine_fitted_without_it(
    kinds_apart: Recorded,
) -> None:
    stream = np.random.default_rng(0)
    labels, groups = np.repeat(["a", "b"], 20), np.tile(["x", "y", "z", "w"], 10)
    values = stream.standard_normal((40, 3)) + (labels == "b")[:, None]
    values = np.clip((values - values.mean(0)) / values.std(0), -4, 4)
    found = left_out_scores(values, labels, groups)
    inside, out = groups != "y", groups == "y"
    width = 1 / (3 * values.var())
    kernel = np.exp(-width * ((values[:, None] - values) ** 2).sum(2))
    target = (labels == "b") - 0.5
    fitted = np.linalg.solve(
        kernel[np.ix_(inside, inside)] + PENALTY * np.eye(inside.sum()), target[inside]
    )
    expected = kernel[np.ix_(out, inside)] @ fitted + 0.5
    np.testing.assert_allclose(found[out, 1], expected, atol=1e-8)
    np.testing.assert_allclose(left_out_scores(values, labels, groups, values), found, atol=1e-8)


def test_the_kind_with_the_largest_loss_has_the_largest_weight() -> None:
    stream = np.random.default_rng(0)
    labels, kinds = np.tile(["a", "b"], 60), np.repeat(["x", "y", "z"], [30, 40, 50])
    values = 3.0 * (labels == "b")[:, None] + stream.standard_normal((120, 4))
    values[kinds == "y"] *= -1  # of the other sign, so that the other kinds mislead
    balanced, worst = (kind_weights(values, labels, kinds, focus) for focus in (0.0, 0.5))
    sums = [balanced[kinds == kind].sum() for kind in "xyz"]
    assert sums == pytest.approx([40.0] * 3)
    totals = {kind: worst[kinds == kind].sum() for kind in "xyz"}
    assert max(totals, key=lambda kind: totals[kind]) == "y"
    assert worst.mean() == pytest.approx(1)


def test_weights_are_for_logistic_regression_only(kinds_apart: Recorded) -> None:
    for name in ("kinds balanced", "worst kinds"):
        assert of(name).classifiers == ("logistic_regression",)
        assert 0 <= held_out(kinds_apart, of(name), "logistic_regression")[NO_REFERENCES] <= 1


def test_aligned_subjects_are_compared_at_equal_progress(kinds_apart: Recorded) -> None:
    features = kinds_apart.features.copy(deep=True)
    visits = features.sizes["visit"]
    features["change"].loc[{"change_name": "act_step"}] = np.log(2.0)
    features["change"].loc[{"change_name": "act_step", "visit": 0}] = 0.0
    known = progress(features)
    np.testing.assert_allclose(known, np.tile(np.arange(visits) / (visits - 1), (len(known), 1)))
    found, steps = aligned(features, "activity"), by_subject(features, "activity", staged=False)
    assert (found.visits, found.values.shape[0]) == (7, len(known))
    last = steps.values.reshape(len(known), -1, steps.visits)[..., -1]
    np.testing.assert_array_equal(found.values.reshape(len(known), -1, 7)[..., -1], last)
    # A subject that does nothing after its first visit is read there at every fraction.
    features["change"][0, 2:, :, :] = 0.0
    early = aligned(features, "activity").values[0].reshape(-1, 7)
    first = steps.values[0].reshape(-1, steps.visits)[:, 0]
    np.testing.assert_allclose(early[:, :-1], np.tile(first[:, None], (1, 6)))


def test_results_are_stored_and_the_best_treatment_inside_is_chosen(
    kinds_apart: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = (AS_THEY_ARE, CENTRED, of("kinds balanced"), of("aligned"))
    monkeypatch.setattr(treatments, "TREATMENTS", few)
    monkeypatch.setattr(treatments, "OBSERVABLES", ("activity",))
    # Features of aligned subjects are those of kinds that do not lie apart.
    monkeypatch.setattr(treatment_tables, "TREATMENTS", few[:-1])
    columns = (("activity", MACHINE), ("activity", "logistic_regression"))
    monkeypatch.setattr(treatment_tables, "_COLUMNS", columns)
    found = treatments.treatments(kinds_apart, tmp_path, 1)
    assert len(list(tmp_path.iterdir())) == len(found) == 6
    predicted, names = chosen_inside(found, "activity", MACHINE, kinds_apart.kinds, referenced=True)
    assert set(names) == set(kinds_apart.kinds.tolist())
    assert list(names.values()).count("centred") >= 3
    plain, centred = (found[name, "activity", MACHINE] for name in ("as they are", "centred"))
    own = centred.predicted[ALL_RULES]
    for kind, name in names.items():
        assert (name == "centred") == (centred.inside[kind] > plain.inside[kind])
        expected = own if name == "centred" else plain.predicted[NO_REFERENCES]
        mine = kinds_apart.kinds == kind
        np.testing.assert_array_equal(predicted[mine], expected[mine])
    assert vars(gain(kinds_apart, own, own)) == {"value": 0, "low": 0, "high": 0}
    more = gain(kinds_apart, own, plain.predicted[NO_REFERENCES])
    assert more.low < more.value < more.high
    assert more.value > 0.1

    def again(*args: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(treatments, "hold_out_kinds", again)
    header, lines = treatment_tables.treatments_table(kinds_apart, tmp_path, 1)
    assert {len(line) for line in lines} == {len(header)}
    assert [line[:2] for line in lines][-5:-3] == [
        ["chosen inside", NO_REFERENCES],
        ["chosen inside", ALL_RULES],
    ]
    header, lines = treatment_tables.gains_table(kinds_apart, tmp_path, 1)
    assert {len(line) for line in lines} == {len(header)}
    null = found["centred", "activity", MACHINE].null
    guessed = accuracy(
        treatments.permuted_labels(kinds_apart.samples("activity")), null, kinds_apart.kinds
    )
    assert guessed.low < 1 / 3 < guessed.high


def test_subjects_without_references_are_left_out_of_an_accuracy() -> None:
    labels, kinds = np.array(list("aabb")), np.array(list("xyxy"))
    found = accuracy(labels, np.array(["a", "", "b", ""]), kinds)
    assert found.value == 1.0


def test_samples_keep_their_labels_when_aligned(kinds_apart: Recorded) -> None:
    found: Samples = aligned(kinds_apart.features, "activity")
    np.testing.assert_array_equal(found.labels, kinds_apart.labels)
