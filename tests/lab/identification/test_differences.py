"""How a recording differs from those of training, and what is assumed of it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import xarray as xr

from tests.recordings.files import plain
from tests.store.decoders.toy import METADATA
from virtuallab.lab.identification.differences import (
    assumptions,
    differences,
    reference_differences,
)
from virtuallab.probes import GaussianNoise, Probe
from virtuallab.recordings import own_design
from virtuallab.store.decoders.metadata import DecoderMetadata

CLEAN = replace(METADATA, snr=None, noise="")
STEPPED = plain().assign_coords(step=("visit", [0, 50, 100]), layer=["a"])


def made_by(probe: Probe) -> xr.Dataset:
    """Return a recording of this package."""
    return STEPPED.assign_attrs(probe=json.dumps(asdict(probe)))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (CLEAN, "are assumed to be free of noise, as those of the training recordings."),
        (replace(CLEAN, noise="sigma"), "are assumed to be as noisy as those of the training"),
        (replace(CLEAN, activity_units="spikes/s"), "are assumed to be as noisy as those of the"),
    ],
)
def test_unknown_noise_is_assumed_to_be_that_of_the_training_recordings(
    facts: DecoderMetadata, said: str
) -> None:
    [told] = assumptions(STEPPED, facts)
    assert told.startswith("The signal-to-noise ratio is not known")
    assert said in told


@pytest.mark.parametrize(
    ("recording", "facts", "said"),
    [
        (STEPPED.assign_attrs(snr=1.0), CLEAN, "1, trained on recordings without noise"),
        (
            STEPPED.assign_attrs(snr=1.0),
            replace(CLEAN, noise="sigma"),
            "1, trained on recordings whose ratio is not known",
        ),
        (STEPPED.assign_attrs(snr=1.0), METADATA, "1, trained on 1.5"),
        (STEPPED, METADATA, "not known, trained on 1.5"),
        (made_by(Probe(noise=GaussianNoise(snr=1.0))), CLEAN, "1, trained on recordings without"),
        (made_by(Probe()), METADATA, "no noise, trained on 1.5"),
        (made_by(Probe(noise=GaussianNoise(sigma=1.0))), METADATA, "not known, trained on 1.5"),
    ],
)
def test_ratios_that_differ_are_stated_in_one_line(
    recording: xr.Dataset, facts: DecoderMetadata, said: str
) -> None:
    values = np.zeros(8)
    told = [each for each in differences(recording, values, facts) if "noise" in each]
    assert told[0].startswith(f"signal-to-noise ratio: {said}")
    own = own_design(recording)
    is_twice = own is not None and bool(own.noise.given_by and facts.noise)
    assert len(told) == 1 + is_twice


@pytest.mark.parametrize(
    ("recording", "facts"),
    [
        (STEPPED.assign_attrs(snr=2.0), CLEAN),
        (STEPPED, METADATA),  # a difference: the decoder was trained on a known ratio
    ],
)
def test_nothing_is_assumed_of_what_is_known(recording: xr.Dataset, facts: DecoderMetadata) -> None:
    assert not list(assumptions(recording, facts))


def test_visits_without_steps_are_assumed_to_be_those_of_training() -> None:
    [told] = assumptions(plain(), METADATA)
    assert told.endswith("those of the training recordings, the last at step 100.")


def test_what_no_reference_has_is_named() -> None:
    values = np.array([1.0, 2.0, np.nan, 4.0, 5.0])
    references = np.array([[1.0, np.nan, 3.0, 4.0, np.nan], [np.nan, np.nan, 3.0, 4.0, 5.0]])
    [said] = reference_differences(values, references)
    assert said.startswith("references: 25 % of what the decoder reads of the recording is not")
    assert list(reference_differences(values[[0, 3]], references[:, [0, 3]])) == []
    assert list(reference_differences(values, None)) == []
