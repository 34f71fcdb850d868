"""Differences between a recording and those that a decoder was trained on, and what is assumed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from virtuallab.recordings import own_design, signal_to_noise_of
from virtuallab.store.decoders.metadata import DecoderMetadata
from virtuallab.vocabulary import ACTIVITY, STIMULUS, UNIT, VISIT

_NEAR = 0.1  # relative difference in signal-to-noise ratio, or in steps, that is no difference


def differences(recording: xr.Dataset, values: np.ndarray, facts: DecoderMetadata) -> Iterator[str]:
    """Yield in what a recording differs from those that a decoder was trained on.

    Parameters
    ----------
    recording : xr.Dataset
    values : array, (column,)
        Its sample.
    facts : DecoderMetadata

    Yields
    ------
    str
        A line for each difference.
    """
    visits = len(facts.visits)
    for what, here, (low, high) in (
        ("units", recording.sizes[UNIT], facts.units),
        ("visits", recording.sizes[VISIT], (visits, visits)),
        ("stimuli", recording.sizes[STIMULUS], facts.stimuli),
        ("layers", recording.sizes["layer"], facts.layers),
    ):
        if not low <= here <= high:
            yield f"{what}: {here}, trained on {low if low == high else f'{low} to {high}'}"
    last = float(recording["step"][-1]) if "step" in recording.coords else None
    if last is not None and abs(last - facts.last_step) > _NEAR * facts.last_step:
        yield f"last visit: step {last:g}, trained on step {facts.last_step}"
    snr = signal_to_noise_of(recording)
    if (snr is None) != (facts.snr is None) or (
        snr is not None and facts.snr is not None and abs(snr / facts.snr - 1) > _NEAR
    ):
        yield f"signal-to-noise ratio: {_ratio(snr)}, trained on {_ratio(facts.snr)}"
    units = str(recording[ACTIVITY].attrs.get("units", facts.activity_units))
    if units != facts.activity_units:
        yield f"responses: in {units}, trained on {facts.activity_units}"
    own = own_design(recording)
    if own is not None and own.noise.given_by != facts.noise:
        stated = (each or "no noise" for each in (own.noise.given_by, facts.noise))
        yield "noise: given by {}, trained on {}".format(*stated)
    if "observed" in recording:
        gone = 100 * float(1 - recording["observed"].mean())
        yield f"responses missing: {gone:.2g} %, trained on none"
    missing = np.setdiff1d(np.flatnonzero(~np.isfinite(values)), facts.absent)
    if len(missing):
        share = 100 * len(missing) / (len(values) - len(facts.absent))
        yield (
            f"{share:.0f} % of what the decoder reads is not defined in the recording (for lack of "
            "layers, classes of stimuli, or units that respond); the median of the training "
            "recordings is used instead"
        )


def assumptions(recording: xr.Dataset, facts: DecoderMetadata) -> Iterator[str]:
    """Yield what is assumed of a recording because it does not state it.

    Parameters
    ----------
    recording : xr.Dataset
    facts : DecoderMetadata

    Yields
    ------
    str
        A sentence for each assumption.
    """
    is_foreign = own_design(recording) is None
    if is_foreign and signal_to_noise_of(recording) is None and facts.snr is None:
        is_noisy = facts.noise or facts.activity_units == "spikes/s"
        yield (
            "The signal-to-noise ratio is not known, because no stimulus has repeats that differ: "
            f"the responses are assumed to be {'as noisy as' if is_noisy else 'free of noise, as'} "
            "those of the training recordings."
        )
    if "step" not in recording.coords:
        yield (
            "The recording has no 'step': its visits are assumed to be those of the training "
            f"recordings, the last at step {facts.last_step}."
        )


def _ratio(snr: float | None) -> str:
    return "not known" if snr is None else f"{snr:.2g}"
