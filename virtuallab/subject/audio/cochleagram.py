r"""Cochleagrams: compressed envelopes of a sound in the frequency bands of the cochlea.

The front end of Kell et al. (2018) and Feather et al. (2019): filters whose transfer functions are
half periods of a cosine on the scale of equivalent rectangular bandwidths, Hilbert envelopes at
200 Hz, and compression by a power of 0.3.
"""

from __future__ import annotations

from collections.abc import Iterator

import jaxtyping as jt
import numpy as np

SAMPLE_RATE = 20_000  # of sounds, in Hz
ENVELOPE_RATE = 200  # Hz
LOWEST, HIGHEST = 20.0, 8_000.0  # limits of the filters, in Hz
COMPRESSION = 0.3  # exponent
_BATCH = 32  # sounds at once, so that memory is bounded


def erb_number(frequency: jt.Float[np.ndarray, " f"]) -> jt.Float[np.ndarray, " f"]:
    """Return the number of equivalent rectangular bandwidths below frequencies in Hz.

    References
    ----------
    Glasberg and Moore 1990, "Derivation of auditory filter shapes from notched-noise data".
    """
    return 9.265 * np.log1p(frequency / (24.7 * 9.265))


def _edges(filters: int) -> jt.Float[np.ndarray, " edge"]:
    """Lower edge, centres and upper edge of the filters, in bandwidths."""
    low, high = erb_number(np.array([LOWEST, HIGHEST]))
    return np.linspace(low, high, filters + 2)


def centre_frequencies(filters: int) -> jt.Float[np.ndarray, " filter"]:
    """Return the frequencies, in Hz, to which the filters respond most, in ascending order."""
    return 24.7 * 9.265 * np.expm1(_edges(filters)[1:-1] / 9.265)


def transfer_functions(
    filters: int, frequency: jt.Float[np.ndarray, " f"]
) -> jt.Float[np.ndarray, "filter f"]:
    """Return the gain of each filter at frequencies in Hz.

    Neighbours overlap by half, so that between the first and the last centre the squared gains of
    all filters add up to 1 (McDermott and Simoncelli 2011).
    """
    edges = _edges(filters)
    distance = (erb_number(frequency) - edges[1:-1, None]) / (edges[1] - edges[0])
    return np.where(np.abs(distance) < 1, np.cos(np.pi / 2 * distance), 0.0)


def cochleagrams(
    sounds: jt.Float[np.ndarray, "sound sample"], filters: int, frames: int
) -> jt.Float32[np.ndarray, "sound filter frame"]:
    """Return the cochleagrams of sounds of one length.

    Filters are applied in the frequency domain, as if each sound repeated itself. Envelopes at 200
    Hz are clipped at 0, compressed, and averaged over the samples of each frame.

    Parameters
    ----------
    sounds : array, (sound, sample)
        At ``SAMPLE_RATE``.
    filters : int
        Number of filters between 20 and 8000 Hz.
    frames : int
        Number of frames, which divide the sound into equal times.

    Returns
    -------
    array of float32, (sound, filter, frame)
        Filters in ascending order of their centre frequencies.
    """
    parts = _batches(sounds.astype(np.float32), filters, frames)
    return np.concatenate([np.zeros((0, filters, frames), np.float32), *parts])


def _batches(
    sounds: jt.Float32[np.ndarray, "sound sample"], filters: int, frames: int
) -> Iterator[jt.Float32[np.ndarray, "batch filter frame"]]:
    import torch
    from scipy import fft, signal

    length = sounds.shape[1]
    gains = transfer_functions(filters, np.fft.rfftfreq(length, 1 / SAMPLE_RATE))
    passed = gains > 0
    width = int(passed.sum(axis=1).max())  # of the widest filter, in frequencies
    bins = passed.argmax(axis=1)[:, None] + np.arange(width)
    inside = bins < gains.shape[1]
    bins = np.where(inside, bins, 0)
    gains = (np.take_along_axis(gains, bins, axis=1) * inside).astype(np.float32)
    # A shift of a band to frequency 0 leaves its envelope as it is. Twice as many samples as the
    # band has frequencies then represent the envelope without aliasing.
    samples = fft.next_fast_len(2 * width)
    kept = max(1, round(length * ENVELOPE_RATE / SAMPLE_RATE))
    for first in range(0, len(sounds), _BATCH):
        spectrum = fft.rfft(sounds[first : first + _BATCH], axis=1)
        analytic = fft.ifft(spectrum[:, bins] * gains, n=samples, axis=-1)
        envelope = signal.resample(2 * samples / length * np.abs(analytic), kept, axis=-1)
        compressed = torch.from_numpy(np.maximum(envelope, 0) ** COMPRESSION)
        framed = torch.nn.functional.adaptive_avg_pool1d(compressed, frames)
        yield framed.numpy().astype(np.float32)
