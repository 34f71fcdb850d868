"""What is assumed of a recording that does not state it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import xarray as xr

from tests.recordings.files import plain
from tests.store.decoders.toy import METADATA
from virtuallab.lab.identification.differences import assumptions
from virtuallab.store.decoders.metadata import DecoderMetadata

CLEAN = replace(METADATA, snr=None, noise="")
STEPPED = plain().assign_coords(step=("visit", [0, 50, 100]))


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
