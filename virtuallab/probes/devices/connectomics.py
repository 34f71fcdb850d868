"""Synapse sizes from electron or expansion microscopy."""

from __future__ import annotations

from virtuallab.probes.device import Device, Presets
from virtuallab.probes.noise.models.gaussian import GaussianNoise
from virtuallab.registry import DEVICES
from virtuallab.vocabulary import WEIGHTS


@DEVICES.register("connectomics")
class Connectomics(Device):
    """Connectomics: a thousand synapses whose strengths are estimated from their sizes.

    The noise models the rough relation of size to strength. The preset assumes, in favour of the
    method, that the same synapses are imaged again at each visit, as spines in a living animal
    are.

    References
    ----------
    Holler et al. 2021, "Structure and function of a neocortical synapse": size and strength.
    Trachtenberg et al. 2002, "Long-term in vivo imaging of experience-dependent synaptic
    plasticity in adult cortex": the same spines at several visits.
    """

    presets = Presets(observables=(WEIGHTS,), synapses=1000, noise=GaussianNoise(snr=1.0))
