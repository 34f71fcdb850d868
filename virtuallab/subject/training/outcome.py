"""Results of training: the cohort at each visit, and the subjects that diverged."""

from __future__ import annotations

from dataclasses import dataclass

import jaxtyping as jt
import numpy as np


@dataclass(frozen=True)
class Visit:
    """State and evaluation of a cohort after some training steps.

    Parameters
    ----------
    index, step : int
        Number of the visit, and of the training steps before it.
    state : array, (subject, parameter)
        Parameters and running averages of each subject; NaN once it has diverged.
    evaluation : dict from name to array
        ``train_loss`` (mean since the last visit), ``validation_loss``, ``validation_performance``:
        (subject,); and what
        :func:`virtuallab.subject.training.gradient_alignment.gradient_alignment` returns.
    """

    index: int
    step: int
    state: jt.Float[np.ndarray, "subject parameter"]
    evaluation: dict[str, np.ndarray]


@dataclass(frozen=True)
class TrainingOutcome:
    """Divergence of each subject during training.

    ``diverged_at`` is the step at which its loss or its state was no longer finite, or -1.
    ``diverged_in`` is the first layer with weights that were not finite, otherwise the layer with
    the largest weight, or None.
    """

    diverged_at: jt.Int[np.ndarray, " subject"]
    diverged_in: tuple[str | None, ...]
