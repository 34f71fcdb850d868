"""Synthesised words of several speakers, in noise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Le

from virtuallab.fields import setting
from virtuallab.registry import TASKS
from virtuallab.seeds import generator
from virtuallab.subject.audio.audio_task import AudioTask, Size
from virtuallab.subject.audio.noise import NOISES, noise, unit_power
from virtuallab.subject.audio.speech import Utterance, speak, synthesiser

# fmt: off
WORDS = (
    "left", "right", "stop", "go", "house", "water", "green", "seven", "happy", "music", "yes",
    "no", "dog", "bird", "table", "window", "red", "nine", "open", "summer", "up", "down", "cat",
    "fish", "chair", "garden", "blue", "five", "under", "winter", "on", "off", "horse", "river",
    "paper", "letter", "black", "two", "over", "morning",
)
# Voices of espeak-ng: accents of English, with variants of pitch, timbre and breath.
SPEAKERS = (
    "en-us+m1",
    "en-us+f1",
    "en-gb-x-rp+m2",
    "en-gb-scotland+f2",
    "en-us+m3",
    "en-us+f3",
    "en-gb-x-rp+m4",
    "en-029+f4",
    "en-gb-scotland+m5",
    "en-us+f5",
    "en-us+m7",
    "en-us+linda",
    "en-gb-x-gbclan+m6",
    "en-us+Annie",
    "en-us+croak",
    "en-us+whisper",
)
# Of babble; none of them is classified.
_BACKGROUND = (
    "people", "always", "bring", "another", "question", "before", "evening", "because",
    "somewhere", "answered", "about", "country", "school", "market", "street", "early", "which",
    "never", "little", "something", "around", "important",
)
# fmt: on
_RATES = 160, 200  # words per minute
_PITCHES = 35, 65  # on the scale of espeak-ng, where 50 is a voice's own pitch
_SEED = 20261126  # of rates, pitches, onsets and noise; fixed, so that all subjects share them


@TASKS.register("spoken_words")
@dataclass(frozen=True, kw_only=True)
class SpokenWords(AudioTask):
    """Spoken words in noise, synthesised by espeak-ng: a small Word-Speaker-Noise task.

    Each speaker says each word several times, with another rate, pitch, onset, noise and
    speech-to-noise ratio each time, and the four kinds of noise are equally frequent. The parts of
    the task share words, speakers and kinds of noise, but no utterance and no noise: performance
    is measured on new utterances of known words by known speakers. It needs the extra ``audio``.

    Raises
    ------
    ValueError
        If the lowest speech-to-noise ratio is above the highest.

    References
    ----------
    Feather et al. 2019, "Metamers of neural networks reveal divergence from human perceptual
    systems", for the task that this one imitates.
    Kell et al. 2018, "A task-optimized neural network replicates human auditory behavior, predicts
    brain responses, and reveals a cortical processing hierarchy", for words in noise.
    """

    label: Literal["word", "speaker", "noise"] = setting(
        "word", doc="What is classified: the word, the speaker or the kind of noise."
    )
    words: Annotated[int, Ge(2), Le(40)] = setting(10, unit="words", doc="Number of words, to 40.")
    speakers: Annotated[int, Ge(2), Le(16)] = setting(
        8, unit="speakers", doc="Number of speakers, to 16."
    )
    repetitions: Size = setting(
        20, unit="utterances", doc="Utterances of each word by each speaker."
    )
    lowest_snr: float = setting(
        -5.0,
        unit="dB",
        doc="Lowest speech-to-noise ratio. Each utterance has its own, drawn uniformly.",
    )
    highest_snr: float = setting(10.0, unit="dB", doc="Highest speech-to-noise ratio.")

    def __post_init__(self) -> None:
        """Check the order of the limits."""
        if self.lowest_snr > self.highest_snr:
            raise ValueError(
                f"lowest_snr: {self.lowest_snr:g} dB is above highest_snr, "
                f"{self.highest_snr:g} dB. Lower it."
            )

    @property
    def classes(self) -> int:
        """Number of words, of speakers, or of kinds of noise."""
        return {"word": self.words, "speaker": self.speakers, "noise": len(NOISES)}[self.label]

    def labels(self) -> np.ndarray:
        """Word, speaker or kind of noise of each utterance.

        Returns
        -------
        array of int64, (utterance,)
        """
        numbers = self._numbers()
        _, word, speaker = numbers.T
        of = {"word": word, "speaker": speaker, "noise": _noise_kinds(numbers)}
        return np.asarray(of[self.label])

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        """Cochleagrams of all utterances, with the lowest frequency first, and their classes."""
        names = ("words", "speakers", "repetitions", "lowest_snr", "highest_snr")
        sources = {"espeakng-loader": synthesiser()[0]} | {n: getattr(self, n) for n in names}
        return self.cochleagrams(sources, self.sounds), self.labels()

    def sounds(self) -> np.ndarray:
        """Utterances in noise, of equal power, the same at every call.

        Returns
        -------
        array of float32, (utterance, sample)
            At 20 kHz.

        Raises
        ------
        MissingLibrary
            If espeak-ng is not installed.
        """
        numbers = self._numbers()
        streams = [generator(_SEED, "utterance", *map(str, each)) for each in numbers]
        utterances = [
            Utterance(
                WORDS[word],
                SPEAKERS[speaker],
                int(stream.integers(*_RATES, endpoint=True)),
                int(stream.integers(*_PITCHES, endpoint=True)),
            )
            for (_, word, speaker), stream in zip(numbers, streams, strict=True)
        ]
        background = [
            Utterance(word, speaker, 175, 50)
            for word, speaker in product(_BACKGROUND, SPEAKERS[: self.speakers])
        ]
        said = speak([*utterances, *background])
        spoken, voices = said[: len(utterances)], said[len(utterances) :]
        made = np.empty((len(spoken), self.samples), np.float32)
        kinds = _noise_kinds(numbers)
        for row, speech, kind, stream in zip(made, spoken, kinds, streams, strict=True):
            row[:] = self._in_noise(speech, NOISES[kind], stream, voices)
        return made

    def _in_noise(
        self, speech: np.ndarray, kind: str, stream: np.random.Generator, voices: list[np.ndarray]
    ) -> np.ndarray:
        speech = unit_power(speech[: self.samples])
        ratio = stream.uniform(self.lowest_snr, self.highest_snr)
        mixed = noise(kind, self.samples, stream, voices)
        onset = int(stream.integers(self.samples - len(speech) + 1))
        mixed[onset : onset + len(speech)] += 10 ** (ratio / 20) * speech
        return unit_power(mixed)

    def _numbers(self) -> np.ndarray:
        """Repetition, word and speaker of each utterance, ``(utterance, 3)``."""
        sizes = (self.repetitions, self.words, self.speakers)
        return np.indices(sizes, dtype=np.int64).reshape(3, -1).T


def _noise_kinds(numbers: np.ndarray) -> np.ndarray:
    """Kind of noise of each utterance, as an index of ``NOISES``.

    In 4 repetitions every word of every speaker meets every kind of noise once.
    """
    return np.asarray(numbers.sum(axis=1) % len(NOISES))
