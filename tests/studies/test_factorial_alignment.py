"""The comparison of settings by which backward weights align."""

from __future__ import annotations

import numpy as np
import xarray as xr

from studies.factorial.alignment import FIXED, PROTOCOL, SETTINGS, overrides, rows
from virtuallab.lab.planning.validation import faults_in
from virtuallab.protocol import expand, read
from virtuallab.vocabulary import DIVERGED, DONE


def test_each_kind_has_one_subject_of_each_setting() -> None:
    assert faults_in([PROTOCOL], overrides()) == []
    subjects = expand(read(PROTOCOL, overrides()))
    assert len(subjects) == 22 * (1 + len(SETTINGS))
    assert {each.label for each in subjects} == {FIXED, *SETTINGS}
    noisy = [each for each in subjects if each.label.startswith("noise")]
    assert {each.rule.activity for each in noisy} == {"noise"}  # type: ignore[attr-defined]


def test_subjects_that_diverged_are_counted_and_left_out() -> None:
    labels = np.repeat([FIXED, *SETTINGS], 2)
    status = np.where(np.arange(len(labels)) == 3, DIVERGED, DONE)  # the first setting
    angle = np.where(np.arange(len(labels)) == 3, np.nan, np.arange(len(labels)) * 1.0)
    subjects = xr.Dataset({"rule": ("subject", labels), "status": ("subject", status)})
    both = np.stack([np.zeros_like(angle), angle], 1)  # the first visit does not count
    truth = xr.Dataset(
        {
            "weight_angle": (("subject", "visit", "layer"), both[:, :, None] + [-1.0, 1.0]),
            "total_gradient_angle": (("subject", "visit"), both * 2),
            "validation_performance": (("subject", "visit"), both / 10),
        }
    )
    first, second, *_ = rows(subjects, truth)
    assert first == [FIXED, "0 of 2", "0° (0° to 1°)", "1° (0° to 2°)", "0.05"]
    assert second == [
        "own activity, rate 0.001",
        "1 of 2",
        "2° (2° to 2°)",
        "4° (4° to 4°)",
        "0.20",
    ]
