from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from virtuallab.errors import MachineError, MissingLibrary
from virtuallab.subject.audio import speech
from virtuallab.subject.audio.cochleagram import SAMPLE_RATE
from virtuallab.subject.audio.speech import Utterance, speak, synthesiser

needs_espeak = pytest.mark.skipif(
    find_spec("espeakng_loader") is None, reason="espeakng-loader is not installed (extra audio)"
)
FEW = [
    Utterance(word, voice, rate, pitch)
    for word in ("left", "seven")
    for voice in ("en-us+m1", "en-us+f2", "en-us+whisper")  # whisper is random noise
    for rate, pitch in ((160, 50), (200, 35))
]


def as_bytes(sounds: list[np.ndarray]) -> list[bytes]:
    return [sound.tobytes() for sound in sounds]


@needs_espeak
def test_the_samples_are_the_same_at_every_call() -> None:
    spoken = as_bytes(speak(FEW))
    assert as_bytes(speak(FEW)) == spoken
    assert len(set(spoken)) == len(FEW)


@needs_espeak
def test_more_utterances_do_not_change_those_before_them() -> None:
    assert as_bytes(speak(FEW[:4])) == as_bytes(speak(FEW)[:4])


@needs_espeak
def test_threads_may_speak_at_once() -> None:
    expected = as_bytes(speak(FEW))
    with ThreadPoolExecutor(4) as pool:
        for spoken in pool.map(speak, [FEW] * 4):
            assert as_bytes(spoken) == expected


@needs_espeak
def test_the_library_is_not_loaded_into_this_process() -> None:
    script = (
        "from virtuallab.subject.audio.speech import Utterance, speak\n"
        "speak([Utterance('go', 'en-us', 160, 50)])\n"
        "print('libespeak' in open('/proc/self/maps').read())"
    )
    if not Path("/proc/self/maps").exists():
        pytest.skip("this system does not list loaded libraries")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


@needs_espeak
def test_the_rate_and_the_pitch_are_those_asked_for() -> None:
    slow, fast, low, high = speak(
        [
            Utterance("seven", "en-us", 120, 50),
            Utterance("seven", "en-us", 240, 50),
            Utterance("no", "en-us", 160, 10),
            Utterance("no", "en-us", 160, 90),
        ]
    )
    assert 1.5 < len(slow) / len(fast) < 2.5
    assert fundamental(high) > 1.5 * fundamental(low)


def fundamental(sound: np.ndarray) -> float:
    """Frequency of the vocal folds, from the autocorrelation."""
    correlation = np.correlate(sound, sound, "full")[len(sound) - 1 :]
    lags = np.arange(SAMPLE_RATE // 400, SAMPLE_RATE // 50)
    return float(SAMPLE_RATE / lags[correlation[lags].argmax()])


@needs_espeak
def test_a_sound_is_a_word_without_the_silence_around_it() -> None:
    for sound in speak(FEW):
        assert sound.dtype == np.float32
        assert 0.2 < len(sound) / SAMPLE_RATE < 0.8
        peak = np.abs(sound).max()
        assert 0.05 < peak <= 1.1
        assert min(abs(sound[0]), abs(sound[-1])) > 0.02 * peak


@needs_espeak
def test_a_voice_that_does_not_exist_is_named() -> None:
    with pytest.raises(MachineError, match="has no voice 'martian'"):
        speak([Utterance("go", "martian", 160, 50)])


@needs_espeak
def test_data_that_cannot_be_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, library, _ = synthesiser()
    monkeypatch.setattr(speech, "synthesiser", lambda: (version, library, str(tmp_path)))
    with pytest.raises(MachineError, match=f"cannot read its voices in {tmp_path}"):
        speak(FEW)


def test_a_library_that_cannot_be_loaded_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = str(tmp_path / "libespeak-ng.so")
    monkeypatch.setattr(speech, "synthesiser", lambda: ("1", missing, str(tmp_path)))
    with pytest.raises(MachineError, match=r"synthesis of speech failed: .*libespeak-ng\.so"):
        speak(FEW)


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(MissingLibrary, match=r'pip install -c constraints.txt -e "\.\[audio\]"'):
        synthesiser()
