"""Background noise of four kinds, each of unit power."""

from __future__ import annotations

from collections.abc import Sequence

import jaxtyping as jt
import numpy as np

from virtuallab.subject.audio.cochleagram import LOWEST, SAMPLE_RATE

_TALKERS = 6  # that speak at once in babble
_HARMONICS = 8  # of the mains frequency, with itself


def unit_power(sound: np.ndarray) -> np.ndarray:
    """Return a sound scaled to a root mean square of 1; silence stays silence."""
    power = float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))
    return sound / power if power else sound


def _white(samples: int, stream: np.random.Generator, _: Sequence[np.ndarray]) -> np.ndarray:
    return np.asarray(stream.standard_normal(samples))


def _pink(samples: int, stream: np.random.Generator, _: Sequence[np.ndarray]) -> np.ndarray:
    spectrum = np.fft.rfft(stream.standard_normal(samples))
    frequency = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE)
    gain = np.where(frequency < LOWEST, 0.0, 1 / np.sqrt(np.maximum(frequency, LOWEST)))
    return np.asarray(np.fft.irfft(spectrum * gain, samples))


def _babble(samples: int, stream: np.random.Generator, voices: Sequence[np.ndarray]) -> np.ndarray:
    talkers = [_talker(samples, stream, voices) for _ in range(_TALKERS)]
    return np.asarray(np.sum(talkers, axis=0))


def _talker(samples: int, stream: np.random.Generator, voices: Sequence[np.ndarray]) -> np.ndarray:
    """Words one after another, from a random moment on."""
    said: list[np.ndarray] = []
    while sum(map(len, said)) < 2 * samples:
        said.append(unit_power(voices[int(stream.integers(len(voices)))]))
    first = int(stream.integers(samples))
    return np.concatenate(said)[first : first + samples]


def _hum(samples: int, stream: np.random.Generator, _: Sequence[np.ndarray]) -> np.ndarray:
    mains = float(stream.choice([50.0, 60.0]))
    harmonics = np.arange(1, _HARMONICS + 1)
    phases = stream.uniform(0, 2 * np.pi, _HARMONICS)
    cycles = mains / SAMPLE_RATE * np.multiply.outer(np.arange(samples), harmonics)
    return np.asarray(np.sin(2 * np.pi * cycles + phases) @ (1 / harmonics))


_KINDS = {"white": _white, "pink": _pink, "babble": _babble, "hum": _hum}
NOISES = tuple(_KINDS)


def noise(
    kind: str, samples: int, stream: np.random.Generator, voices: Sequence[np.ndarray]
) -> jt.Float[np.ndarray, " sample"]:
    """Return noise of one kind, scaled to a root mean square of 1.

    White noise has the same power at all frequencies, and pink noise the same in each octave above
    20 Hz. Babble is six talkers at once. Hum is a mains frequency (50 or 60 Hz) and its harmonics,
    whose amplitudes fall with their number.

    Parameters
    ----------
    kind : str
        One of ``NOISES``.
    samples : int
        Length, at ``SAMPLE_RATE``.
    stream : numpy.random.Generator
    voices : sequence of array, (sample,)
        Sounds from which babble is made.
    """
    return unit_power(_KINDS[kind](samples, stream, voices))
