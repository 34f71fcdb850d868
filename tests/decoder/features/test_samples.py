"""Features become samples: one row a subject, or one row a layer."""

from __future__ import annotations

import numpy as np
import pytest

from tests.decoder.synthetic import DEPTH_GROUP, EVERY_LAYER, LAYERS, RULES, features, with_theory
from virtuallab.decoder.features.samples import (
    PUBLISHED,
    at_visit_0,
    by_layer,
    by_subject,
    has_visit_0,
    stages,
)
from virtuallab.probes.statistics.published import ADMISSIBLE


def test_the_published_statistics_are_those_the_probes_know() -> None:
    assert sorted(PUBLISHED) == sorted(ADMISSIBLE)
    assert len(PUBLISHED) == 24


def test_early_stages_of_learning_are_shorter_and_cover_all_visits_once() -> None:
    for visits in (1, 3, 7, 20):
        parts = stages(visits)
        covered = [visit for part in parts for visit in range(visits)[part]]
        assert covered == list(range(visits))
        lengths = [part.stop - part.start for part in parts]
        assert len(lengths) == min(visits, 7)
        assert lengths[0] == min(lengths)


def test_a_sample_of_a_subject_has_thirds_and_their_differences_at_each_stage() -> None:
    dataset = features(each=1, signal=1.0)
    samples = by_subject(dataset, "activity", staged=False)
    changes = dataset["change"].isel(subject=1, visit=slice(1, None))  # a large network
    assert dataset["architecture"].values[1] == "large"
    changes = changes.sel(change_name=["act_step", "act_cosine_start"])
    early, deep = changes.sel(layer="conv1"), changes.sel(layer="fc4")
    middle = changes.sel(layer=["conv2", "conv3"]).mean("layer")
    parts = [early, middle, deep, middle - early, deep - middle]
    expected = np.concatenate([part.values for part in parts], axis=1).T.ravel()
    np.testing.assert_allclose(samples.values[1], expected)
    assert (samples.visits, samples.context) == (4, 0)


def test_a_sample_of_visit_0_has_statistics_on_a_logarithmic_scale() -> None:
    dataset = features(each=1)
    value = float(dataset["stat"].isel(subject=0, visit=0, layer=0).sel(statistic="actabs_mean"))
    samples = at_visit_0(dataset, "activity")
    assert samples.values[0, 0] == pytest.approx(np.sign(value) * np.log1p(abs(value)))
    assert has_visit_0(dataset)
    assert not has_visit_0(dataset.isel(visit=slice(1, None)))


def test_a_sample_of_a_layer_has_its_depth_and_the_published_statistics() -> None:
    dataset = features(each=1)
    samples = by_layer(dataset, "weights")
    assert len(samples.labels) == len(RULES) * sum(map(len, LAYERS.values()))
    assert samples.owners.tolist()[:6] == [0, 0, 1, 1, 1, 1]
    depth = samples.values[:6, :3].argmax(1).tolist()
    assert depth == [*DEPTH_GROUP["small"], *DEPTH_GROUP["large"]]
    # weightraw_skew is not among the published statistics.
    layer = EVERY_LAYER.index("fc4")
    series = dataset["stat"].isel(subject=0, layer=layer).sel(statistic="weightabs_mean")
    np.testing.assert_array_equal(samples.values[1, 3:], series)


def test_taken_samples_keep_their_labels_and_owners() -> None:
    samples = by_subject(features(each=2), "activity")
    some = samples.take(np.array([5, 0]))
    assert some.owners.tolist() == [5, 0]
    assert some.labels.tolist() == [samples.labels[5], samples.labels[0]]
    np.testing.assert_array_equal(some.values, samples.values[[5, 0]])


@pytest.mark.parametrize("observable", ["activity", "weights", "activity_change", "all"])
def test_what_theory_predicts_is_in_no_other_sample(observable: str) -> None:
    plain = features(each=2)
    for sampled in (by_subject, at_visit_0, by_layer):
        without, beside = (sampled(each, observable) for each in (plain, with_theory(plain)))
        np.testing.assert_array_equal(without.values, beside.values)


def test_a_sample_of_theory_has_its_changes_and_at_visit_0_what_they_are_computed_from() -> None:
    dataset = with_theory(features(each=1))
    samples = by_subject(dataset, "theory", staged=False)
    early = (
        dataset["change"]
        .isel(visit=slice(1, None))
        .sel(layer="conv1", change_name="theory_weight_slope_last")
    )
    np.testing.assert_allclose(samples.values[:, :4], early)
    assert samples.values.shape[1] == 2 * 5 * 4
    before = [at_visit_0(dataset, name).values for name in ("theory", "weights", "activity")]
    assert before[0].shape[1] == before[1].shape[1] + before[2].shape[1]
