"""Metadata of a trained decoder: its training recordings, and its accuracy on held-out subjects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Range = tuple[float, float]
Counts = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class DecoderMetadata:
    """Properties of the training recordings, and accuracy on held-out subjects.

    Parameters
    ----------
    title, question : str
        Of the experiment.
    observable, classifier : str
        Observable that it reads, and classifier that reads it.
    others : tuple of str
        Out-of-set rules: it was trained to recognise but not to name them.
    probe : mapping
        The recording design, as plain data.
    visits : tuple of int
        Preserved visits that were recorded.
    stages : int
        Stages of learning that the visits make; a recording needs as many.
    units, stimuli, layers : (int, int)
        Fewest and most, over kinds of subject.
    snr : float or None
        Signal-to-noise ratio of the recordings; None where no noise was given by a ratio.
    absent : tuple of int
        Columns that were left out because the recording it was made for lacks them.
    change_names : tuple of str
        Names of the features.
    last_step : int
        Training step of the last visit that was recorded.
    learning_rates : (number, number)
        Smallest and largest, of the subjects.
    architectures, tasks : tuple of str
    n_subjects : int
        Subjects of the rules that it names.
    accuracy : float
        Balanced accuracy on subjects that were held out.
    interval : (float, float)
        Of the accuracy, at ``confidence``.
    confidence : float
    coverage, nominal_coverage : float
        Share of prediction sets with the true rule: measured, and intended.
    made_for : str
        Digest of all that decides the decoder, by which a saved one can be used again.
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
