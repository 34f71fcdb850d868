"""Metadata of a trained decoder: its training recordings, and its accuracy on held-out subjects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from virtuallab.decoder.levels import Level

Range = tuple[float, float]
Counts = tuple[int, int]


@dataclass(frozen=True)
class LevelAccuracy:
    """Accuracy of a decoder at a level.

    Parameters
    ----------
    level : Level
    interval : (float, float)
        Of the balanced accuracy on held-out subjects.
    """

    level: Level
    interval: Range


@dataclass(frozen=True)
class KindAccuracy:
    """Accuracy of a decoder on kinds that are not in training.

    Parameters
    ----------
    references : str
        Choice of references of the held-out kind, by its name in
        :func:`virtuallab.decoder.schemes.held_out_kinds.cross_validate_kinds`.
    accuracy : float
        Balanced accuracy on kinds that were held out in turn.
    interval : (float, float)
        Of the accuracy on a further kind.
    """

    references: str
    accuracy: float
    interval: Range


@dataclass(frozen=True, kw_only=True)
class DecoderMetadata:
    """Metadata of a trained decoder: its training recordings, and its held-out accuracy.

    Parameters
    ----------
    title, question : str
        Of the experiment.
    observable, classifier : str
    others : tuple of str
        Out-of-set rules, on which novelty detection was trained.
    probe : mapping
        The recording design, as plain data.
    probe_name : str
        Name of the probe whose recordings it was trained on; empty if subjects were recorded as a
        recording was made.
    visits : tuple of int
        Preserved visits that were recorded.
    stages : int
        Number of stages of the visits; a recording needs as many.
    units, stimuli, layers : (int, int)
        Fewest and most, over kinds of subject.
    snr : float or None
        Signal-to-noise ratio of the recordings; None if noise was not given as a ratio.
    noise : str
        Setting by which the noise was given (``snr``, ``unit_snr`` or ``sigma``); empty if none.
    activity_units : str
        Units of the responses, ``"1"`` for activations.
    absent : tuple of int
        Columns that were left out: those that the recording to be decoded lacks, and those without
        a value in any training recording.
    change_names : tuple of str
        Names of the features.
    last_step : int
        Training step of the last visit that was recorded.
    learning_rates : (number, number)
        Smallest and largest, of the subjects.
    architectures, tasks : tuple of str
    kinds : int
        Number of combinations of architecture and task on which predictions are calibrated, each
        held out as a whole; 1 if they are calibrated within kinds.
    kind_names : tuple of str
        All kinds of the training subjects, by architecture and task.
    held_out_kinds : tuple of KindAccuracy
        Without references and with some; empty if no accuracy on another kind can be measured.
    fewest : int
        Subjects of the rarest rule.
    subjects : tuple of str
        Names of all training subjects.
    n_subjects : int
        Subjects of the rules among which the decoder chooses.
    accuracy : float
        Balanced accuracy on held-out subjects.
    interval : (float, float)
        Of the accuracy, at ``confidence``.
    confidence : float
    coverage, nominal_coverage : float
        Share of prediction sets with the true rule: measured, and intended.
    levels : tuple of LevelAccuracy
        Coarser questions than the rule, of which the rules of the decoder are groups.
    excluded : mapping from str to float
        Share of held-out recordings in which no learning is excluded: of subjects that learned
        (``learning``), and of each null model when it was not in training.
    still : tuple of float
        Change of recordings in which nothing changes but noise, ascending.
    made_for : str
        Digest of the settings and data that decide the decoder; a saved one with the same digest
        can be used again.
    """

    title: str
    question: str
    observable: str
    classifier: str
    others: tuple[str, ...]
    probe: Mapping[str, Any]
    probe_name: str
    visits: tuple[int, ...]
    stages: int
    units: Counts
    stimuli: Counts
    layers: Counts
    snr: float | None
    noise: str
    activity_units: str
    absent: tuple[int, ...]
    change_names: tuple[str, ...]
    last_step: int
    learning_rates: Range
    architectures: tuple[str, ...]
    tasks: tuple[str, ...]
    kinds: int
    kind_names: tuple[str, ...]
    held_out_kinds: tuple[KindAccuracy, ...]
    fewest: int
    subjects: tuple[str, ...]
    n_subjects: int
    accuracy: float
    interval: Range
    confidence: float
    coverage: float
    nominal_coverage: float
    levels: tuple[LevelAccuracy, ...]
    excluded: Mapping[str, float]
    still: tuple[float, ...]
    made_for: str
