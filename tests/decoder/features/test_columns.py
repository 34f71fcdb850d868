"""What each column of a sample is."""

from __future__ import annotations

import numpy as np
import pytest

from tests.decoder.planted import CHANGES, features
from virtuallab.decoder.features.columns import UNRELATED, columns_of, family_of, groups_of
from virtuallab.decoder.features.samples import by_subject
from virtuallab.probes.statistics.features import change_names, theory_names

VALUE = {"early": 0, "middle": 10, "deep": 30, "middle - early": 10, "deep - middle": 20}


@pytest.mark.parametrize("observable", ["activity", "weights", "all"])
def test_a_column_holds_what_is_said_of_it(observable):
    """Each number tells its statistic, its visit and its layer, so a sample can be read back."""
    planted = features(each=1)
    name = 1_000.0 * np.arange(len(CHANGES))
    visit, layer = 0.01 * np.arange(10.0)[:, None, None], np.array([0.0, 10, 30])[:, None]
    planted["change"] = planted["change"].copy(
        data=np.broadcast_to(name + visit + layer, planted["change"].shape)
    )
    columns = columns_of(planted, observable)
    of_layer = np.array([VALUE[depth] for depth in columns.depth])
    is_difference = np.array([" - " in depth for depth in columns.depth])
    middle = 0.01 * (columns.first_visit + columns.last_visit) / 2
    number = np.array([list(CHANGES).index(name) for name in columns.statistic])
    expected = of_layer + np.where(is_difference, 0, 1_000 * number + middle)
    samples = by_subject(planted, observable)
    np.testing.assert_allclose(samples.values[0], expected)
    assert {CHANGES[name] for name in columns.statistic} == set(columns.observable)


def test_each_column_has_a_name_of_its_own():
    names = columns_of(features(each=1), "all").names
    assert len(set(names)) == len(names)
    assert names[0] == f"{next(iter(CHANGES))}|early|visits 1-1"


def test_a_difference_between_depths_is_of_the_statistic_it_says():
    planted = features(each=1)
    values = np.zeros(planted["change"].shape)
    values[:, :, 2, list(CHANGES).index("act_silent")] = 7
    planted["change"] = planted["change"].copy(data=values)
    columns = columns_of(planted, "all")
    [row] = {tuple(row) for row in by_subject(planted, "all").values}
    there = np.array(row) == 7
    assert set(columns.statistic[there]) == {"act_silent"}
    assert set(columns.depth[there]) == {"deep", "deep - middle"}
    assert set(columns.stage[there]) == set(range(7))


def test_stages_have_the_numbers_of_the_visits_that_were_recorded():
    planted = features(each=1).isel(visit=[0, 2, 5])
    columns = columns_of(planted, "weights")
    assert columns.first_visit[columns.stage == 0].tolist() == [2] * 5
    assert columns.first_visit[columns.stage == 1].tolist() == [5] * 5
    assert (columns.first_visit == columns.last_visit).all()


def test_a_recording_of_one_visit_has_one_stage():
    planted = features(each=1).isel(visit=[0])
    columns = columns_of(planted, "all")
    assert columns.stage.shape == by_subject(planted, "all").values[0].shape
    assert set(columns.stage) == {0}


def test_every_change_has_a_family():
    every = (*change_names(), *theory_names())
    without = [name for name in every if family_of(name) == UNRELATED]
    assert not without, f"give {without} a place in FAMILIES"
    assert family_of("something_new") == UNRELATED


def test_every_column_is_in_one_group_of_each_kind():
    columns = columns_of(features(each=1), "all")
    groups = list(groups_of(columns, np.ones(columns.stage.shape, bool)))
    assert len({group.name for group in groups}) == len(groups)
    for kind in ("statistic", "family", "stage", "depth", "observable"):
        members = [group.member for group in groups if group.kind == kind]
        assert (np.sum(members, axis=0) == 1).all()


def test_what_was_not_measured_has_no_group():
    columns = columns_of(features(each=1), "all")
    groups = list(groups_of(columns, columns.observable == "activity"))
    assert {group.observable for group in groups} == {"activity"}
    assert "observable" not in {group.kind for group in groups}


def test_only_what_theory_predicts_is_in_a_family_of_theory():
    for names, expected in ((theory_names(), True), (change_names(), False)):
        assert {family_of(name).startswith("theory:") for name in names} == {expected}
