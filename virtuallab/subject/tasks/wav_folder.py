"""Sounds of one's own, in one folder for each class."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from virtuallab.fields import setting
from virtuallab.paths import expanded
from virtuallab.registry import TASKS
from virtuallab.subject.audio.audio_task import AudioTask
from virtuallab.subject.audio.cochleagram import SAMPLE_RATE
from virtuallab.subject.tasks._files import FileTask, Source

_MARGIN = 100  # samples beyond the last one, which the filter of the resampling reaches


@TASKS.register("wav_folder")
@dataclass(frozen=True, kw_only=True)
class WavFolder(AudioTask, FileTask):
    """Sounds of your own in wav files: one folder for each class.

    Channels are averaged, and sounds are resampled to 20 kHz. A sound that is shorter than
    ``duration`` is followed by silence. Levels are kept as recorded. Only the sounds that are asked
    for are read.

    References
    ----------
    Kell et al. 2018, "A task-optimized neural network replicates human auditory behavior, predicts
    brain responses, and reveals a cortical processing hierarchy", for the cochleagrams.
    """

    contents: ClassVar[str] = (
        "Set 'path' to a folder with one subfolder of .wav files for each class."
    )

    path: str = setting(
        doc="Folder of the sounds; in a protocol relative to the protocol's folder.", place=True
    )

    @classmethod
    def files(cls, path: Path) -> Sequence[Path]:
        """All wav files in subfolders of the folder, in alphabetical order."""
        return sorted(each for each in path.glob("*/*") if each.suffix.lower() == ".wav")

    @property
    def classes(self) -> int:
        """Number of subfolders with wav files."""
        return _class_count(self)

    def sources(self, path: Path) -> tuple[Source, Source]:
        """All sounds, for every part."""
        labels = np.unique(self.folders(path), return_inverse=True)[1].astype(np.int64)
        files, digest = self.files(path), self.sha256 or self.digest(path)

        def read(which: np.ndarray) -> np.ndarray:
            chosen: dict[str, object] = {"sha256": digest, "files": which.tolist()}
            return self.cochleagrams(chosen, lambda: self._sounds([files[i] for i in which]))

        every = Source(labels, read, str(path))
        return every, every

    def folders(self, path: Path) -> list[str]:
        """Folder of each file, which is its class."""
        folders = [file.parent.name for file in self.files(path)]
        if len(set(folders)) < 2:
            raise self.refusal(
                f"{path} has {len(set(folders))} subfolders with .wav files; at least two classes "
                f"are needed. {self.contents}"
            )
        return folders

    def _sounds(self, files: Sequence[Path]) -> np.ndarray:
        made = np.zeros((len(files), self.samples), np.float32)
        for row, file in zip(made, files, strict=True):
            sound = self._sound(file)
            row[: len(sound)] = sound
        return made

    def _sound(self, file: Path) -> np.ndarray:
        """Read the sound of a file until ``duration``; full scale is 1."""
        from scipy.io import wavfile
        from scipy.signal import resample_poly

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", wavfile.WavFileWarning)  # of chunks of metadata
                rate, stored = wavfile.read(file)
            stored = stored[: math.ceil((self.samples + _MARGIN) * rate / SAMPLE_RATE)]
            mono = _scaled(stored).mean(axis=1) if stored.ndim == 2 else _scaled(stored)
            sound = np.asarray(resample_poly(mono, SAMPLE_RATE, rate))[: self.samples]
        except Exception as error:  # a damaged file causes many kinds of errors
            raise self.refusal(f"{file} cannot be read as a wav file: {error}.") from None
        if not len(sound):
            raise self.refusal(f"{file} has no sound.")
        if not np.isfinite(sound).all():
            raise self.refusal(f"{file} has samples that are not finite.")
        return sound


@cache
def _class_count(task: WavFolder) -> int:
    return len(np.unique(task.folders(expanded(task.path))))


def _scaled(stored: np.ndarray) -> np.ndarray:
    if stored.dtype == np.uint8:  # the one unsigned format, whose zero is 128
        return stored / 128.0 - 1
    if np.issubdtype(stored.dtype, np.integer):
        return stored / -float(np.iinfo(stored.dtype).min)
    return stored.astype(np.float64)
