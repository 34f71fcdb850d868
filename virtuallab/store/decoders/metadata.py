"""What a decoder was trained on, said beside it: what it can be asked, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Range = tuple[float, float]
Counts = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the training recordings were like, and how the decoder did on subjects held out.

    Parameters
    ----------
    title, question : str
        Of the experiment.
    observable, classifier : str
        What it reads, and by what.
    others : tuple of str
        Rules that it learned not to name.
    probe : mapping
        The recording design, as plain data.
    visits : tuple of int
        Preserved visits that were recorded.
    stages : int
        Into which these are put together; a recording has to have as many.
    units, stimuli, layers : (int, int)
        Fewest and most, of the makes of subject.
    snr : float or None
        Signal-to-noise ratio of the recordings; None where no noise was given by a ratio.
    absent : tuple of int
        Columns that were left out, since the recording it was made for does not have them.
    change_names : tuple of str
        Features there were.
    last_step : int
        Training step of the last visit that was recorded.
    learning_rates : (number, number)
        Smallest and largest, of the subjects.
    architectures, tasks : tuple of str
    n_subjects : int
        Of the rules that it names.
    accuracy : float
        Balanced accuracy on subjects that were held out.
    interval : (float, float)
        Of the accuracy, at ``confidence``.
    confidence : float
    coverage, nominal_coverage : float
        How often the set held the true rule, and how often it was to.
    made_for : str
        Fingerprint of all that decides the decoder; tells whether a kept one can be used again.
    """

    title: str
    question: str
    observable: str
    classifier: str
    others: tuple[str, ...]
    probe: Mapping[str, Any]
    visits: tuple[int, ...]
    stages: int
    units: Counts
    stimuli: Counts
    layers: Counts
    snr: float | None
    absent: tuple[int, ...]
    change_names: tuple[str, ...]
    last_step: int
    learning_rates: Range
    architectures: tuple[str, ...]
    tasks: tuple[str, ...]
    n_subjects: int
    accuracy: float
    interval: Range
    confidence: float
    coverage: float
    nominal_coverage: float
    made_for: str
