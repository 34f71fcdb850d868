from __future__ import annotations

import numpy as np
import pytest

from tests.recordings.files import N_UNITS, plain, read, refusal


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"unit": []}, "there are no units in it"),
        ({"stimulus": []}, "there are no stimuli in it"),
        ({"visit": [1]}, "one visit shows no change; at least two are needed"),
        ({"visit": []}, "no visits show no change; at least two are needed"),
    ],
)
def test_an_empty_recording_and_one_of_a_single_visit_are_refused(tmp_path, part, said):
    assert said in refusal(plain().isel(part), tmp_path)


def test_what_is_no_number_is_refused(tmp_path):
    text = plain().assign(activity=plain()["activity"].astype(str))
    assert "activity has to be numbers, found" in refusal(text, tmp_path)


def test_infinite_responses_and_those_beyond_single_precision_are_refused(tmp_path):
    for value in (np.inf, -np.inf, 1e300):
        whole = plain()
        whole["activity"][0, 1, 2] = value
        message = refusal(whole, tmp_path)
        assert "1 response is infinite" in message
        assert "in unit 2, at visit 0" in message


def test_two_units_of_one_name_are_refused(tmp_path):
    whole = plain().assign_coords(unit=[1, 2, 3, 3, 4, 1])
    assert "2 names in unit stand for several units: 1, 3." in refusal(whole, tmp_path)


def test_copies_of_a_unit_are_refused_and_silent_units_are_not_copies(tmp_path):
    whole = plain()
    whole["activity"][:, :, 4] = whole["activity"][:, :, 1]
    whole["activity"][:, :, 5] = whole["activity"][:, :, 1]
    said = "2 units respond exactly as another does: 4 as 1, 5 as 1."
    assert said in refusal(whole, tmp_path)
    silent = plain()
    silent["activity"][:, :, 2:4] = 0
    assert read(silent, tmp_path).sizes["unit"] == N_UNITS


def test_visits_have_to_ascend(tmp_path):
    whole = plain().assign_coords(step=("visit", [0, 9, 5]))
    message = refusal(whole, tmp_path)
    assert "visits must ascend in step, found 5 after 9. Sort them" in message
    read(whole.sortby("step"), tmp_path)
    assert "found 9 after 9" in refusal(whole.assign_coords(step=("visit", [0, 9, 9])), tmp_path)
    days = np.array(["2024-03-02", "2024-03-01", "2024-03-05"], dtype="M8[ns]")
    assert "must ascend in visit" in refusal(plain().assign_coords(visit=days), tmp_path)
    assert "step counts from 0" in refusal(
        plain().assign_coords(step=("visit", [-3, 0, 9])), tmp_path
    )
    assert "step is not a finite number everywhere" in refusal(
        plain().assign_coords(step=("visit", [0, 1, np.nan])), tmp_path
    )
    assert "step has to be numbers" in refusal(
        plain().assign_coords(step=("visit", list("abc"))), tmp_path
    )
