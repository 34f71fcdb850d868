from __future__ import annotations

import io

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from virtuallab.reporting.tables.identification import identification_summary, remarks, verdict


def found(
    inside: tuple[bool, ...] = (True, False, False),
    familiar: float = 0.5,
    typical: float = 0.5,
    **attributes: object,
) -> xr.Dataset:
    return xr.Dataset(
        {
            "probability": ("rule", [0.7, 0.1, 0.2]),
            "p_value": ("rule", [0.6, 0.01, 0.2]),
            "in_set": ("rule", np.array(inside)),
            "familiar": familiar,
            "typical": typical,
        },
        coords={"rule": np.array(["adam", "feedback_alignment", "sgdm"], dtype=object)},
        attrs={
            "title": "ours",
            "classifier": "kernel_svm",
            "observable": "activity",
            "others": ["hebbian"],
            "coverage": 0.9,
            "accuracy": 0.91,
            "interval": [0.85, 0.95],
            "n_subjects": 96,
            "differences": [],
            "notes": [],
            **attributes,
        },
    )


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (
            found(),
            "The rule is Adam (probability 0.70), if it is one of these 3: no other is in the 90 %",
        ),
        (
            found((True, False, True)),
            "Most similar to Adam (probability 0.70); SGD, momentum cannot be excluded.",
        ),
        (found((False, False, True)), "Most similar to Adam (probability 0.70); SGD, momentum"),
        (
            found((True, True, True)),
            "Cannot tell: all 3 rules are in the 90 % prediction set. Most similar to Adam (",
        ),
        (
            found(interval=[0.3, 0.6]),
            "Cannot tell: the decoder is not shown to be more accurate than guessing.",
        ),
        (found(familiar=0.04), "None of these rules: only 4.0 % of the recordings of known rules"),
        (found(typical=0.0), "Outside the range of this decoder. The recording differs more"),
        (found(typical=0.0, familiar=0.01), "are as novel. The recording differs more"),
        (
            found((False, False, False)),
            "No rule is identified: none is in the 90 % prediction set.",
        ),
        # Without others there is nothing from which what is none of these could be known.
        (found(familiar=0.04, others=[]), "The rule is Adam"),
    ],
)
def test_the_verdict_in_a_sentence(case: xr.Dataset, said: str) -> None:
    assert said in verdict(case)


def test_notes_on_the_recording_are_remarks() -> None:
    said = list(remarks(found(notes=["3 of 12 trials of \x1b[31m.nwb overlap invalid_times."])))
    assert "Notes on the recording:" in said
    assert "  3 of 12 trials of \\x1b[31m.nwb overlap invalid_times." in said


def test_the_accuracy_of_the_decoder_and_missing_outliers_are_remarks() -> None:
    [own] = remarks(found())
    assert "balanced accuracy of 0.91 [0.85, 0.95] on subjects not used for training" in own
    assert "an unknown rule is forced into one of these classes" in "".join(
        remarks(found(others=[]))
    )


def test_differences_have_a_line_each() -> None:
    told = list(remarks(found(differences=["units: 5, trained on 20", "layers: 1, trained on 4"])))
    assert told[-2:] == ["  units: 5, trained on 20", "  layers: 1, trained on 4"]


def test_the_table_has_the_likeliest_first() -> None:
    written = io.StringIO()
    Console(width=100, file=written).print(identification_summary(found()))
    lines = written.getvalue().splitlines()
    rows = [line.split() for line in lines if line.strip().endswith(("yes", "no"))]
    assert [row[0] for row in rows] == ["Adam", "SGD,", "feedback"]
    assert [row[-1] for row in rows] == ["yes", "no", "no"]
