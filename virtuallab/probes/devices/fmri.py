"""Averages over many neurons, as functional imaging gives."""

from __future__ import annotations

from virtuallab.probes.device import Device, Presets
from virtuallab.probes.noise.models.gaussian import GaussianNoise
from virtuallab.registry import DEVICES
from virtuallab.vocabulary import ACTIVITY


@DEVICES.register("fmri")
class Fmri(Device):
    """Voxels like those of fMRI: each the mean response of 16 neighbouring units, with noise.

    16 units are as large a share of these networks as a voxel's million neurons are of a cortex.
    Averaging is modelled, the time course of blood flow is not.

    References
    ----------
    Logothetis 2008, "What we can do and what we cannot do with fMRI".
    """

    presets = Presets(observables=(ACTIVITY,), pool=16, noise=GaussianNoise(unit_snr=1.0))
