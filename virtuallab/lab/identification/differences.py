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
    differs = (snr is None) != (facts.snr is None) or (
        snr is not None and facts.snr is not None and abs(snr / facts.snr - 1) > _NEAR
    )
    if differs:
        yield f"signal-to-noise ratio: {_own_ratio(recording)}, trained on {_trained_ratio(facts)}"
    units = str(recording[ACTIVITY].attrs.get("units", facts.activity_units))
    if units != facts.activity_units:
        yield f"responses: in {units}, trained on {facts.activity_units}"
    own = own_design(recording)
    is_said = differs and own is not None and not (own.noise.given_by and facts.noise)
    if own is not None and own.noise.given_by != facts.noise and not is_said:
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


def reference_differences(values: np.ndarray, references: np.ndarray | None) -> Iterator[str]:
    """Yield what the references of a recording lack.

    Parameters
    ----------
    values : array, (column,)
        Sample of the recording, without the columns that the decoder leaves out.
    references : array, (reference, column), or None
        Samples of its references.
    """
    if references is None:
        return
    read = np.isfinite(values)
    lacking = read & ~np.isfinite(references).any(0)
    if lacking.any():
        share = 100 * lacking.sum() / read.sum()
        yield (
            f"references: {share:.0f} % of what the decoder reads of the recording is not defined "
            "in any of them; it is read relative to the centre of all training kinds"
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
        is_noisy = _is_noisy(facts)
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


def _is_noisy(facts: DecoderMetadata) -> bool:
    """Whether the training recordings have noise, of whatever kind."""
    return bool(facts.noise) or facts.activity_units == "spikes/s"


def _trained_ratio(facts: DecoderMetadata) -> str:
    if facts.snr is not None:
        return f"{facts.snr:.2g}"
    return "recordings whose ratio is not known" if _is_noisy(facts) else "recordings without noise"


def _own_ratio(recording: xr.Dataset) -> str:
    snr, own = signal_to_noise_of(recording), own_design(recording)
    if snr is not None:
        return f"{snr:.2g}"
    is_clean = own is not None and not own.noise.is_present and own.spikes is None
    return "no noise" if is_clean else "not known"
