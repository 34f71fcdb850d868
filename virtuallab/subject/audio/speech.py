"""Spoken words, synthesised by espeak-ng."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from virtuallab.errors import MachineError, MissingLibrary
from virtuallab.subject.audio.cochleagram import SAMPLE_RATE

_SILENCE = 0.02  # of the peak; quieter samples before and after a word are cut off


@dataclass(frozen=True)
class Utterance:
    """A word as one speaker says it.

    Parameters
    ----------
    text : str
    voice : str
        Name of a voice of espeak-ng, with its variant: ``"en-us+f2"``.
    rate : int
        Words per minute.
    pitch : int
        From 0 to 99; 50 is the voice's own.
    """

    text: str
    voice: str
    rate: int
    pitch: int


def synthesiser() -> tuple[str, str, str]:
    """Return the version, the shared library and the data of espeak-ng.

    Raises
    ------
    MissingLibrary
        If it is not installed.
    """
    try:
        import espeakng_loader
    except ImportError:
        raise MissingLibrary("espeakng-loader", "to synthesise spoken words", "audio") from None
    library, data = espeakng_loader.get_library_path(), espeakng_loader.get_data_path()
    return version("espeakng-loader"), library, data


def speak(utterances: Sequence[Utterance]) -> list[np.ndarray]:
    """Return the sound of each utterance, without the silence around it.

    The sounds are the same at every call. That of an utterance depends a little on the utterances
    before it, because espeak-ng continues the vibration of its vocal folds.

    Parameters
    ----------
    utterances : sequence of Utterance

    Returns
    -------
    list of array of float32, (sample,)
        At ``SAMPLE_RATE``; full scale is 1.

    Raises
    ------
    MissingLibrary
        If espeak-ng is not installed.
    MachineError
        If it fails.
    """
    _, library, data = synthesiser()
    asked = {"library": library, "data": data, "utterances": [astuple(u) for u in utterances]}
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(Path(__file__).with_name("espeak_process.py"))],
        input=json.dumps(asked).encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines() or ["it ended early"]
        raise MachineError(f"the synthesis of speech failed: {reason[-1]}.")
    head, _, samples = done.stdout.partition(b"\n")
    found = json.loads(head)
    sounds = np.frombuffer(samples, dtype=np.int16).astype(np.float32) / 2**15
    ends = np.cumsum(found["lengths"]) // 2 * SAMPLE_RATE // found["rate"]
    return [_trimmed(each) for each in np.split(_resampled(sounds, found["rate"]), ends[:-1])]


def _resampled(sounds: np.ndarray, rate: int) -> np.ndarray:
    """Sounds one after another at ``SAMPLE_RATE``; the silence between them keeps them apart."""
    from scipy.signal import resample_poly

    return np.asarray(resample_poly(sounds, SAMPLE_RATE, rate))


def _trimmed(sound: np.ndarray) -> np.ndarray:
    loud = np.flatnonzero(np.abs(sound) > _SILENCE * np.abs(sound).max(initial=0))
    return sound[loud[0] : loud[-1] + 1] if len(loud) else sound
