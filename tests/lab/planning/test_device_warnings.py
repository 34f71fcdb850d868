"""Devices that find few units in a network are warned of, by probe and network."""

from __future__ import annotations

import pytest

from virtuallab.lab.planning.device_warnings import device_warnings
from virtuallab.lab.planning.plan import lay_out
from virtuallab.protocol import read_text

TEXT = """
schema_version: 1
name: devices
question: What do devices record of a small network?
seed: 1
subjects:
  architectures: [knet4]
  tasks: [digits]
  rules: [backprop, feedback_alignment]
  optimizer: {{name: sgd, learning_rate: 0.01}}
  replicates: 2
  epochs: 1
  visits: 3
{section}
"""


def warned(section: str) -> list[str]:
    return list(device_warnings(lay_out(read_text(TEXT.format(section=section), name="p.yaml"))))


def test_neurons_that_respond_alike_are_counted() -> None:
    [one] = warned("probes:\n  imaging: {device: two_photon}")
    assert one.startswith("probes.imaging: in knet4 the 458 neurons within its pick-up radius")
    assert "differ only in their noise" in one


def test_a_layer_without_contacts_is_named() -> None:
    [one] = warned(
        "probes:\n  own: {device: {contacts: [[0, 0]]}, observables: [activity]}\n"
        "  array: {device: utah_array}"
    )
    assert one == (
        "probes.own records no unit in conv1, conv2, fc4 of knet4: it has no contacts there."
    )


def test_designs_are_warned_of_once() -> None:
    [one] = warned("compare:\n  designs:\n    imaging: {device: two_photon, turnover: [0.0, 1.0]}")
    assert one.startswith("compare.designs.imaging: in knet4")


@pytest.mark.parametrize(
    "probe",
    [
        "{units: 40, observables: [activity]}",
        "{device: two_photon, radius: none}",
        "{device: connectomics}",
        "{device: utah_array}",
        "{device: tetrode}",
    ],
)
def test_other_probes_are_not_warned_of(probe: str) -> None:
    assert warned(f"probes:\n  one: {probe}") == []


@pytest.mark.parametrize(
    ("probe", "setting", "used"),
    [
        ("units: 40, radius: none", "radius", "device: tetrode, radius: none"),
        ("units: 40, visit_interval: 7.0", "visit_interval", "units: 40, daily_loss: 0.1"),
        ("units: 40, turnover: 0.1, visit_interval: 7.0", "visit_interval", "units: 40"),
        ("selection: active", "selection", "units: 40, selection: active"),
        ("units_per_layer: 9, division: even", "division", "units: 40, division: even"),
    ],
)
def test_settings_without_effect_are_named(probe: str, setting: str, used: str) -> None:
    common = "observables: [activity]"
    [one] = warned(f"probes:\n  one: {{{probe}, {common}}}")
    assert one.startswith(f"probes.one.{setting} has no effect: ")
    interval = ", visit_interval: 7.0" if "daily" in used else ""
    assert warned(f"probes:\n  one: {{{used}{interval}, {common}}}") == []
