"""The probe that records simulated subjects as a given recording was made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.errors import UnknownName, UserError
from virtuallab.probes.noise.models.gaussian import GaussianNoise
from virtuallab.probes.noise.noise_model import NoiseModel
from virtuallab.probes.probe import Probe
from virtuallab.probes.readouts.indicator import Indicator
from virtuallab.probes.readouts.spikes import Spikes
from virtuallab.probes.resolved import ResolvedProbe
from virtuallab.vocabulary import ACTIVITY, STIMULUS, UNIT, VISIT


def matching_probe(
    recording: xr.Dataset, steps: Sequence[int], *, fractions: bool = False
) -> Probe:
    """Return a probe that matches a recording in units, stimuli, visits and noise.

    Units are divided evenly over layers. Visits are at the recording's steps, or at the nearest at
    which subjects were preserved. If the recording is longer than training, or two of its steps
    would share a visit, visits are at the same fractions of training, the last at its end. Without
    steps they are spread evenly. Noise and the share of units lost from visit to visit are those of
    the recording, if known. A recording of this package names its probe, from which noise, pooling,
    spikes and fluorescence are taken.

    Parameters
    ----------
    recording : xr.Dataset
        ``activity`` (visit, stimulus, unit), as of :func:`read_recording`.
    steps : sequence of int
        Training steps at which the subjects were preserved, ascending.
    fractions : bool
        True to place visits at the same fractions of training in any case: the steps of a recording
        may not be training steps.

    Returns
    -------
    Probe

    Raises
    ------
    UserError
        If subjects were preserved at too few steps, or the recording has no signal.
    """
    snr = signal_to_noise_of(recording)
    if snr is not None and not snr > 0:
        raise UserError(
            "responses to different stimuli differ by no more than those to the same one "
            "(snr 0): there is no signal to match. Average more repeats, or choose units that "
            "respond."
        )
    turnover = None
    if "unit_matched" in recording:
        turnover = float(1 - recording["unit_matched"].to_numpy()[1:].mean()) or None
    matched = Probe(
        units=recording.sizes[UNIT],
        division="even",
        turnover=turnover,
        noise=None if snr is None else GaussianNoise(snr=snr),
        visits=_visits(recording, np.asarray(steps, dtype=np.float64), fractions),
        stimuli=recording.sizes[STIMULUS],
        observables=(ACTIVITY,),
    )
    own = own_design(recording)
    if own is None:
        return matched
    return replace(matched, noise=own.noise, pool=own.pool, spikes=own.spikes, calcium=own.calcium)


def signal_to_noise_of(recording: xr.Dataset) -> float | None:
    """Return the signal-to-noise ratio of a recording: of its probe, or estimated from repeats.

    Parameters
    ----------
    recording : xr.Dataset
        As of :func:`read_recording`.

    Returns
    -------
    float or None
        None if it is not known.
    """
    own = own_design(recording)
    if own is not None:
        return own.noise.ratio
    snr = recording.attrs.get("snr")
    return None if snr is None else float(snr)


def own_design(recording: xr.Dataset) -> ResolvedProbe | None:
    """Return the probe of a recording of this package.

    Parameters
    ----------
    recording : xr.Dataset
        As of :func:`read_recording`.

    Returns
    -------
    ResolvedProbe or None
        None for other recordings.
    """
    try:
        written = json.loads(recording.attrs["probe"])
        noise, spikes, calcium = (written[name] for name in ("noise", "spikes", "calcium"))
        return Probe(
            device=written["device"] if isinstance(written["device"], str) else None,
            pool=written["pool"],
            noise=None if noise is None else NoiseModel.from_section(noise),
            spikes=None if spikes is None else Spikes(**spikes),
            calcium=None if calcium is None else Indicator.from_section(calcium),
        ).resolved
    except (KeyError, TypeError, ValueError, RecursionError, UnknownName):
        return None


def _visits(
    recording: xr.Dataset, preserved: jt.Float[np.ndarray, " visit"], fractions: bool
) -> int | tuple[int, ...]:
    count, available = recording.sizes[VISIT], len(preserved)
    advice = "Preserve more with subjects.visits, or use fewer visits of the recording."
    if count > available:
        raise UserError(
            f"the recording has {count} visits, and subjects were preserved at {available}. "
            f"{advice}"
        )
    if "step" not in recording.coords:
        return count
    step = recording["step"].to_numpy()
    visits = None if fractions else at_steps(step, preserved)
    if visits is not None:
        return tuple(visits.tolist())
    visits = _nearest(step * (preserved[-1] / step.max() if step.max() > 0 else 1), preserved)
    for earlier, later in zip(range(count - 1), range(1, count), strict=True):
        if visits[earlier] == visits[later]:
            raise UserError(
                f"visits {earlier} and {later} of the recording (steps {step[earlier]} and "
                f"{step[later]} of {step.max()}) both fall on visit {visits[later]} of the "
                f"{available} at which subjects were preserved. {advice}"
            )
    return tuple(visits.tolist())


def at_steps(
    step: jt.Real[np.ndarray, " n"], preserved: jt.Float[np.ndarray, " visit"]
) -> jt.Int[np.ndarray, " n"] | None:
    """Return the visits nearest to the steps of a recording.

    Parameters
    ----------
    step : array, (n,)
        Of the recording, ascending.
    preserved : array, (visit,)
        Training steps at which the subjects were preserved, ascending.

    Returns
    -------
    array of int, (n,), or None
        None if the recording is longer than training, or two of its steps would share a visit.
    """
    if step.max() > preserved[-1] + np.diff(preserved[-2:]).sum() / 2:
        return None
    visits = _nearest(step, preserved)
    return visits if len(np.unique(visits)) == len(step) else None


def _nearest(
    steps: jt.Real[np.ndarray, " n"], preserved: jt.Float[np.ndarray, " visit"]
) -> jt.Int[np.ndarray, " n"]:
    """Return the visit nearest to each step."""
    found: jt.Int[np.ndarray, " n"] = np.abs(preserved - steps[:, None]).argmin(axis=1)
    return found
