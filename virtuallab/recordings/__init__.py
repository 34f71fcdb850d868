"""Reading of recordings (zarr, netCDF, NWB) into the form of a probe's recordings."""

from virtuallab.recordings.matching import at_steps, matching_probe, own_design, signal_to_noise_of
from virtuallab.recordings.read import read_recording, read_subjects

__all__ = [
    "at_steps",
    "matching_probe",
    "own_design",
    "read_recording",
    "read_subjects",
    "signal_to_noise_of",
]
