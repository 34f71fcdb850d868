"""The recording design by which the lab's own subjects are recorded as a given recording was."""

from __future__ import annotations

import numpy as np
import xarray as xr

from virtuallab.errors import UserError
from virtuallab.probe.noise import Noise
from virtuallab.probe.probe import Probe
from virtuallab.vocabulary import ACTIVITY, STIMULUS, UNIT, VISIT


def matching_probe(recording: xr.Dataset, n_visits_available: int) -> Probe:
    """Design a probe that sees of a subject as much as a recording shows of another.

    As many units, evenly divided over layers, as many stimuli and as many visits. Where the
    recording says its steps, visits lie at the same fractions of training, the last of them at its
    end; else they are spread evenly. Noise is that of the recording, if it is known, and so is the
    share of units lost from visit to visit.

    Parameters
    ----------
    recording : xr.Dataset
        As :func:`read_recording` gives it.
    n_visits_available : int
        Visits at which the lab's subjects were preserved.

    Returns
    -------
    Probe

    Raises
    ------
    UserError
        If the subjects were preserved too rarely, or the recording is all noise.
    """
    snr = recording.attrs.get("snr")
    if snr is not None and not snr > 0:
        raise UserError(
            "responses to different stimuli differ by no more than those to the same one "
            "(snr 0): there is no signal to match. Average more repeats, or choose units that "
            "respond."
        )
    turnover = None
    if "unit_matched" in recording:
        turnover = float(1 - recording["unit_matched"].to_numpy()[1:].mean()) or None
    return Probe(
        units=recording.sizes[UNIT],
        division="even",
        turnover=turnover,
        noise=None if snr is None else Noise(snr=float(snr)),
        visits=_visits(recording, n_visits_available),
        stimuli=recording.sizes[STIMULUS],
        observables=(ACTIVITY,),
    )


def _visits(recording: xr.Dataset, available: int) -> int | tuple[int, ...]:
    count = recording.sizes[VISIT]
    advice = "Preserve more with subjects.visits, or use fewer visits of the recording."
    if count > available:
        raise UserError(
            f"the recording has {count} visits, and subjects were preserved at {available}. "
            f"{advice}"
        )
    if "step" not in recording.coords:
        return count
    step = recording["step"].to_numpy()
    visits = np.rint(step / step.max() * (available - 1)).astype(int).tolist()
    for earlier, later in zip(range(count - 1), range(1, count), strict=True):
        if visits[earlier] == visits[later]:
            raise UserError(
                f"visits {earlier} and {later} of the recording (steps {step[earlier]} and "
                f"{step[later]} of {step.max()}) both fall on visit {visits[later]} of the "
                f"{available} at which subjects were preserved. {advice}"
            )
    return tuple(visits)
