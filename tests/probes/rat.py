"""A tissue made of plain arrays, to put probes into."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from virtuallab.probes import Probe
from virtuallab.probes.noise.calibration import ProbeCalibration


@dataclass(frozen=True)
class Rat:
    """Three rectifying layers of which the whole Jacobian is known."""

    layers: tuple[str, ...]
    responses: dict[str, np.ndarray]
    weights: dict[str, np.ndarray]
    inputs: dict[str, int]
    labels: np.ndarray
    jacobians: dict[str, np.ndarray] = field(repr=False)  # (visit, stimulus, unit, input)

    def jacobian(self, layer: str, units: np.ndarray) -> np.ndarray:
        return self.jacobians[layer][:, :, units].sum(2)


@dataclass(frozen=True)
class Mute:
    """A tissue whose synapses can be measured and that nothing can be shown."""

    layers: tuple[str, ...]
    weights: dict[str, np.ndarray]
    responses: dict[str, np.ndarray] = field(default_factory=dict)  # a KeyError for who asks
    inputs: dict[str, int] = field(default_factory=dict)

    def jacobian(self, layer: str, units: np.ndarray) -> np.ndarray:
        raise AssertionError("a probe of weights alone asked for a Jacobian")


SIZES = {"first": 12, "second": 8, "third": 4}
N_VISITS, N_STIMULI = 6, 10
N_SYNAPSES = {"first": 60, "second": 96, "third": 32}


def rat(seed: int = 0) -> Rat:
    """Five inputs, then 12, 8 and 4 units, at 6 visits, shown 10 stimuli of two classes."""
    stream = np.random.default_rng(seed)
    signal = np.broadcast_to(
        stream.standard_normal((N_STIMULI, 5)), (N_VISITS, N_STIMULI, 5)
    ).astype(np.float32)
    responses, weights, inputs, jacobians = {}, {}, {}, {}
    for layer, units in SIZES.items():
        before = signal.shape[-1]
        start = stream.standard_normal((units, before))
        drift = 0.2 * stream.standard_normal((N_VISITS, units, before)).cumsum(0)
        kernel = (start + drift - drift[0]).astype(np.float32)
        potential = np.einsum("vsi,vui->vsu", signal, kernel)
        jacobians[layer] = (potential > 0)[..., None] * kernel[:, None]
        inputs[layer] = before
        weights[layer] = kernel.reshape(N_VISITS, -1)
        signal = responses[layer] = np.maximum(potential, 0).astype(np.float32)
    labels = np.arange(N_STIMULI) % 2
    return Rat(tuple(SIZES), responses, weights, inputs, labels, jacobians)


def set_on_rats(probe: Probe) -> ProbeCalibration:
    """Set a probe on another rat, whose visits stand for reference networks."""
    return probe.calibrate(rat(99), stream(99))


def stream(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)
