"""What an instrument is set to before it records: on networks that no rule has changed.

Noise belongs to the instrument. Were its deviation taken from what is recorded, it would tell how
the recorded population grows, at any signal-to-noise ratio. So it is set once, on reference
networks that are built like the subjects, see the same stimuli and have learned nothing, and is
held for all visits of all subjects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import jaxtyping as jt
import numpy as np

from virtuallab.probe.observables.recorded_units import Pooled
from virtuallab.probe.preparation import Tissue
from virtuallab.vocabulary import ACTIVITY, ACTIVITY_CHANGE, WEIGHTS

if TYPE_CHECKING:
    from virtuallab.probe.implant import Implant
    from virtuallab.probe.probe import Probe


@dataclass(frozen=True)
class Spread:
    """Standard deviations of a signal in one layer of the reference networks, as it is read out.

    Parameters
    ----------
    layer : float
        Over all that is measured in the layer: stimuli and units, or synapses. The root of the mean
        variance of the networks.
    unit : float
        Of the median unit, over stimuli; units that do not respond are left out. Where there are
        no stimuli, or no units, it is that of the layer.
    """

    layer: float
    unit: float


@dataclass(frozen=True)
class Calibration:
    """What a probe's noise and firing rates are relative to.

    Parameters
    ----------
    spreads : mapping from observable to mapping from layer to Spread
        In the units of what is recorded.
    responses : mapping from layer to float
        Root mean square of the responses above zero: that of a neuron that fires at the rate of
        :class:`~virtuallab.probe.Spikes`. Empty where no responses are measured.
    """

    spreads: Mapping[str, Mapping[str, Spread]]
    responses: Mapping[str, float]


def calibrated(probe: Probe, reference: Tissue, choice: np.random.Generator) -> Calibration:
    """Set a probe on reference networks.

    Parameters
    ----------
    probe : Probe
    reference : Tissue
        Untrained networks in the place of visits, shown all stimuli.
    choice : numpy.random.Generator
        A stream of the reference's own: which units are averaged, or summed, there.
    """
    design = replace(probe.in_effect, visits="all", stimuli="all", turnover=0.0)
    implant = design.implanted(reference, choice)
    layers = implant.layers
    responses: dict[str, float] = {}
    if probe.sees_responses:
        responses = {layer: _typical(reference.responses[layer]) for layer in layers}
    found: dict[str, dict[str, Spread]] = {
        observable: {
            layer: _SPREADS[observable](implant, reference, layer, responses) for layer in layers
        }
        for observable in design.observables
    }
    return Calibration(found, responses)


def _typical(responses: jt.Float[np.ndarray, "network stimulus unit"]) -> float:
    above = np.maximum(responses, 0)
    return float(np.sqrt(np.mean(above**2, dtype=np.float64)))


def _of_activity(
    implant: Implant, reference: Tissue, layer: str, responses: Mapping[str, float]
) -> Spread:
    """Spread of what the read-out gives without noise: of averages, rates or fluorescence."""
    seen = reference.responses[layer]
    channels = implant.units[layer]
    if isinstance(channels, Pooled):
        seen = channels.hear(seen, implant.stimuli)
    if implant.probe.spikes is not None:
        seen = implant.probe.spikes.firing(seen, responses[layer])
    elif implant.probe.calcium is not None:
        seen = implant.probe.calcium.glow(seen)
    if not seen.size:
        return Spread(0.0, 0.0)
    layer_wide = _spread(seen)
    each = seen.std(1, dtype=np.float64)
    responsive = each[each > 0]
    return Spread(layer_wide, float(np.median(responsive)) if responsive.size else layer_wide)


def _of_weights(implant: Implant, reference: Tissue, layer: str, _: Mapping[str, float]) -> Spread:
    spread = _spread(reference.weights[layer])
    return Spread(spread, spread)


def _of_change(implant: Implant, reference: Tissue, layer: str, _: Mapping[str, float]) -> Spread:
    """Spread of the sums over as many units as are recorded, over inputs and stimuli."""
    units = implant.units[layer].index
    spread = _spread(reference.jacobian(layer, units)) if len(units) else 0.0
    return Spread(spread, spread)


_SPREADS: Mapping[str, Callable[[Implant, Tissue, str, Mapping[str, float]], Spread]] = {
    ACTIVITY: _of_activity,
    WEIGHTS: _of_weights,
    ACTIVITY_CHANGE: _of_change,
}


def _spread(signal: jt.Float[np.ndarray, "network ..."]) -> float:
    """Root of the mean variance of the networks."""
    each = signal.reshape(len(signal), -1).var(1, dtype=np.float64)
    return float(np.sqrt(each.mean()))
