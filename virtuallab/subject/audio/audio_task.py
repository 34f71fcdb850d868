"""Base class of tasks whose images are cochleagrams of sounds."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

import jaxtyping as jt
import numpy as np
from annotated_types import Ge, Le

from virtuallab.fields import setting
from virtuallab.subject.audio.array_cache import cached_array
from virtuallab.subject.audio.cochleagram import SAMPLE_RATE, cochleagrams
from virtuallab.subject.task import Task

Size = Annotated[int, Ge(2), Le(1024)]


@dataclass(frozen=True, kw_only=True)
class AudioTask(Task):
    """A task of sounds, which are shown as cochleagrams, ``(1, filter, frame)``.

    A cochleagram has the envelopes of a sound in frequency bands from 20 to 8000 Hz, compressed by
    a power of 0.3. Cochleagrams are kept in the user's cache folder.
    """

    filters: Size = setting(32, unit="filters", doc="Frequency bands: height of an image.")
    frames: Size = setting(32, unit="frames", doc="Times: width of an image.")
    duration: Annotated[float, Ge(0.05), Le(60.0)] = setting(
        0.64, unit="s", doc="Length of a sound. Longer sounds are cut off, shorter ones padded."
    )

    @property
    def stimulus_shape(self) -> tuple[int, int, int]:
        """Shape of a cochleagram, ``(1, filter, frame)``."""
        return 1, self.filters, self.frames

    @property
    def samples(self) -> int:
        """Number of samples of a sound."""
        return round(self.duration * SAMPLE_RATE)

    def cochleagrams(
        self,
        sources: dict[str, object],
        sounds: Callable[[], np.ndarray],
    ) -> jt.Float32[np.ndarray, "sound 1 filter frame"]:
        """Cochleagrams of sounds, which are made if they are not in the cache.

        Parameters
        ----------
        sources : dict from str to object
            All that determines the sounds beside the code and ``duration``, as JSON can write it.
        sounds : callable
            Returns the sounds, (sound, sample), at ``SAMPLE_RATE``.

        Returns
        -------
        array of float32, (sound, 1, filter, frame)
            Read-only; the lowest frequency first.
        """
        settings = {"filters": self.filters, "frames": self.frames, "samples": self.samples}
        key = json.dumps([_code(type(self)), settings, sources], sort_keys=True)
        return cached_array(
            self.name, key, lambda: cochleagrams(sounds(), self.filters, self.frames)[:, None]
        )


@cache
def _code(task: type[AudioTask]) -> str:
    """Digest of the code that makes the images of a task; with other code they are made anew."""
    files = [*sorted(Path(__file__).parent.glob("*.py")), Path(inspect.getfile(task))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
