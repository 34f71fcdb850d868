from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from virtuallab.errors import UserError


def names(chosen: xr.Dataset, coord: str = "subject") -> list[str]:
    return [str(each) for each in chosen[coord].to_numpy()]


def test_a_rule_or_several_choose_subjects(stored: xr.Dataset) -> None:
    assert names(stored.lab.select(rule="adam")) == ["sub-0001", "sub-0002"]
    assert names(stored.lab.select(rule=["sgdm", "adam"]), "rule") == ["adam", "adam", "sgdm"]


def test_all_that_is_asked_for_has_to_hold(stored: xr.Dataset) -> None:
    chosen = stored.lab.select(architecture="knet4", task="digits", learning_rate=0.1)
    assert names(chosen) == ["sub-0001", "sub-0003"]


def test_a_layer_cuts_units_synapses_and_layers_at_once(stored: xr.Dataset) -> None:
    chosen = stored.lab.select(layer=["conv2", "fc"])
    assert names(chosen, "layer") == ["conv2", "fc"]
    assert names(chosen, "unit_layer") == ["conv2"] * 4 + ["fc"]
    assert names(chosen, "synapse_layer") == ["conv2", "fc", "fc"]
    np.testing.assert_array_equal(chosen["activity"], stored["activity"][..., 6:])
    np.testing.assert_array_equal(chosen["weights"], stored["weights"][..., 2:])


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (0, ["conv1"]),
        (0.3, ["conv2"]),
        (1.0, ["fc"]),
        ((0, 1 / 3), ["conv1", "conv2"]),
        ([0.3, 1], ["conv2", "fc"]),
        (np.float64(0.9), ["fc"]),
    ],
)
def test_a_depth_chooses_layers(recording: xr.Dataset, depth: object, expected: list[str]) -> None:
    chosen = recording.lab.select(depth=depth)
    assert names(chosen, "layer") == expected
    assert set(names(chosen, "unit_layer")) == set(expected)


def test_visits_are_chosen_by_number(stored: xr.Dataset) -> None:
    assert list(stored.lab.select(visit=4)["visit"]) == [4]
    assert list(stored.lab.select(visit=[6, 0])["visit"]) == [0, 6]
    assert list(stored.lab.select(visit=slice(2, 4))["visit"]) == [2, 4]
    assert list(stored.lab.select(visit=slice(4, None))["visit"]) == [4, 6]


def test_every_axis_stays(recording: xr.Dataset) -> None:
    chosen = recording.lab.select(subject="sub-0002", layer="fc", visit=0)
    assert chosen["activity"].shape == (1, 1, 12, 1)
    assert chosen["activity"].dims == recording["activity"].dims


def test_nothing_asked_for_leaves_all(recording: xr.Dataset) -> None:
    assert recording.lab.select().identical(recording)


def test_choosing_reads_nothing(store: object, stored: xr.Dataset) -> None:
    lazy = not stored["activity"].variable._in_memory
    assert stored.lab.select(rule="adam", layer="fc")["activity"].variable._in_memory != lazy


def test_one_subject_is_its_own_choice(recording: xr.Dataset) -> None:
    one = recording.isel(subject=0)
    assert one.lab.select(rule="adam", layer="fc")["activity"].shape == (4, 12, 1)
    with pytest.raises(UserError, match=r"no rule is called 'sgdm'. Known: adam"):
        one.lab.select(rule="sgdm")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"rule": "adm"}, "no rule is called 'adm'. Did you mean 'adam'"),
        ({"rule": ["adam", "sgd"]}, "no rule is called 'sgd'. Did you mean 'sgdm'"),
        ({"architecture": "knet"}, "no architecture is called 'knet'. Did you mean 'knet"),
        ({"layer": "conv"}, "no layer is called 'conv'. Did you mean 'conv"),
        ({"visit": 3}, "there is no visit 3. There are 4, from 0 to 6"),
        ({"learning_rate": "low"}, "learning_rate is a number, found 'low'"),
        ({"visit": slice(7, 9)}, "no visit lies between 7 and 9"),
        ({"visit": slice(0, 9, 2)}, "without a step"),
        ({"depth": 2}, "depth goes from 0"),
        ({"depth": (0, 0.5, 1)}, "a number or a pair"),
        ({"depth": (0.4, 0.9)}, "no layer lies between depths 0.4 and 0.9.*conv2 at 0.33, fc at 1"),
        ({"layer": "fc", "depth": 0}, "no layer is called 'fc' and lies at depth 0"),
        ({"rle": "adam"}, "no coordinate 'rle'. Did you mean 'rule'"),
        ({"rule": "sgdm", "architecture": "knet4"}, "no subject has all of rule='sgdm', arch"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(
    recording: xr.Dataset, asked: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        recording.lab.select(**asked)


def test_depth_is_refused_where_it_is_not_known(recording: xr.Dataset) -> None:
    with pytest.raises(UserError, match="no depths of layers"):
        recording.drop_vars("layer_depth").lab.select(depth=0)
