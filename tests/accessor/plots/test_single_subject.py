"""The subject and the visits of a plot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import xarray as xr

from virtuallab.accessor.plots.single_subject import (
    at_visit,
    check_axes,
    describe_subject,
    describe_visit,
    one_subject,
    visits_of,
)
from virtuallab.errors import UserError


def test_the_first_recorded_subject_is_chosen_unless_one_is_named(recording: xr.Dataset) -> None:
    recording["activity"][0] = np.nan
    assert one_subject(recording, None)["subject"].item() == "sub-0002"
    named = one_subject(recording, "sub-0003")
    assert named["subject"].item() == "sub-0003"
    np.testing.assert_array_equal(named["activity"], recording["activity"][2])


def test_a_recording_of_one_subject_is_returned_as_it_is(recording: xr.Dataset) -> None:
    one = recording.isel(subject=1)
    assert one_subject(one, None) is one


def test_a_single_finite_response_is_a_recording(recording: xr.Dataset) -> None:
    recording["activity"][3, 1, 2, 3] = 0.0
    assert one_subject(recording, "sub-0004")["subject"].item() == "sub-0004"


@pytest.mark.parametrize(
    ("name", "named"), [("sub-0004", "sub-0004"), (None, "any subject")], ids=["named", "any"]
)
def test_a_subject_without_responses_is_refused(
    name: str | None, named: str, recording: xr.Dataset
) -> None:
    nothing = recording if name else recording.isel(subject=[3])
    with pytest.raises(UserError, match=f"nothing was recorded of {named}: no response is"):
        one_subject(nothing, name)
    with pytest.raises(UserError, match="nothing was recorded of any subject"):
        one_subject(recording.isel(subject=3), None)


@pytest.mark.parametrize(
    ("default", "kept"),
    [((0, -1), [0, 6]), ((-1,), [6]), ((0, 0), [0]), ((1, 0), [2, 0]), ((3, -1), [6])],
)
def test_default_visits_are_places_each_kept_once(
    default: Sequence[int], kept: list[int], recording: xr.Dataset
) -> None:
    one = recording.isel(subject=0)
    assert visits_of(one, None, default)["visit"].values.tolist() == kept


def test_visits_are_named_by_their_numbers(recording: xr.Dataset) -> None:
    one = recording.isel(subject=0)
    found = visits_of(one, [2, 6])
    assert found["visit"].values.tolist() == [2, 6]
    np.testing.assert_array_equal(found["activity"], one["activity"][[1, 3]])
    assert visits_of(one, 4)["activity"].dims[0] == "visit"


def test_visits_without_numbers_are_counted_from_0(recording: xr.Dataset) -> None:
    one = recording.isel(subject=0).drop_vars(["visit", "epoch"])
    assert visits_of(one, None)["visit"].values.tolist() == [0, 3]
    np.testing.assert_array_equal(visits_of(one, 2)["activity"][0], one["activity"][2])


def test_a_recording_of_one_visit_gets_an_axis_of_visits(recording: xr.Dataset) -> None:
    one = recording.isel(subject=0, visit=1)
    found = visits_of(one, None)
    assert found["activity"].dims == ("visit", "stimulus", "unit")
    assert found.sizes["visit"] == 1
    np.testing.assert_array_equal(found["activity"][0], one["activity"])


def test_the_last_visit_is_chosen_unless_another_is_given(recording: xr.Dataset) -> None:
    one = recording.isel(subject=0)
    last = at_visit(one, None)
    assert last["activity"].dims == ("stimulus", "unit")
    np.testing.assert_array_equal(last["activity"], one["activity"][-1])
    np.testing.assert_array_equal(at_visit(one, 2)["activity"], one["activity"][1])


def test_a_visit_after_divergence_is_refused_with_its_time(recording: xr.Dataset) -> None:
    one = recording.isel(subject=0)
    one["activity"][2:] = np.nan
    with pytest.raises(UserError, match=r"no response after 4.5 epochs is a finite number: .*earl"):
        at_visit(one, None)
    unknown = one.isel(visit=3).drop_vars(["visit", "epoch"])
    with pytest.raises(UserError, match="no response is a finite number"):
        at_visit(unknown, None)
    assert at_visit(one, 2)["visit"].item() == 2


def test_repetitions_are_refused_with_the_way_to_average_them(recording: xr.Dataset) -> None:
    one = recording.isel(subject=0, visit=0)
    check_axes(one, "stimulus", "unit")
    repeated = one.assign(activity=one["activity"].expand_dims(trial=2))
    with pytest.raises(UserError, match=r"an axis 'trial' too.*recording\.lab\.trial_average"):
        check_axes(repeated, "stimulus", "unit")
    check_axes(repeated, "trial", "stimulus", "unit")


def test_a_subject_is_described_by_what_is_known_of_it(recording: xr.Dataset) -> None:
    one = recording.isel(subject=2)
    assert describe_subject(one) == ["sub-0003", "feedback_alignment", "knet4"]
    assert describe_subject(one.drop_vars(["rule", "subject"])) == ["knet4"]
    assert describe_subject(one.drop_vars(["rule", "subject", "architecture"])) == []


def test_a_visit_is_described_by_epochs_where_these_are_known(recording: xr.Dataset) -> None:
    one = recording.isel(subject=0)
    assert describe_visit(one.isel(visit=0)) == "before learning"
    assert describe_visit(one.isel(visit=1)) == "after 1.5 epochs"
    assert describe_visit(one.isel(visit=1).drop_vars("epoch")) == "at visit 2"
    assert describe_visit(one.isel(visit=1).drop_vars("visit")) == ""
