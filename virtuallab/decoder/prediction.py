"""Predictions of a decoder for recordings: probabilities, prediction sets and novelty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from virtuallab.decoder.uncertainty.no_learning import LEVEL
from virtuallab.vocabulary import NO_LEARNING, RULE, SUBJECT


@dataclass(frozen=True)
class Prediction:
    """Predictions of a decoder for recordings.

    Parameters
    ----------
    dataset : xr.Dataset
        ``probability`` and ``p_value`` (subject, rule); ``novelty``, ``novelty_p_value`` and
        ``distance_p_value`` (subject,).
    """

    dataset: xr.Dataset

    @classmethod
    def of(cls, rules: Sequence[str], **arrays: np.ndarray) -> Prediction:
        """Return arrays over (subject, rule) or (subject,) as a prediction."""
        dims = (SUBJECT, RULE)
        variables = {name: (dims[: values.ndim], values) for name, values in arrays.items()}
        return cls(xr.Dataset(variables, coords={RULE: np.array(rules, dtype=object)}))

    @property
    def probability(self) -> xr.DataArray:
        """Calibrated probability (subject, rule), given that one of the answers is right."""
        return self.dataset["probability"]

    @property
    def p_value(self) -> xr.DataArray:
        """Conformal p-value (subject, rule): share of a rule's subjects that conform no better."""
        return self.dataset["p_value"]

    @property
    def novelty(self) -> xr.DataArray:
        """Novelty score (subject,): larger if a recording resembles the decoder's rules less."""
        return self.dataset["novelty"]

    @property
    def novelty_p_value(self) -> xr.DataArray:
        """Share of the training subjects whose novelty score is at least as large (subject,)."""
        return self.dataset["novelty_p_value"]

    @property
    def distance_p_value(self) -> xr.DataArray:
        """Share of the training recordings at least as far from their neighbours (subject,).

        With null recordings, the larger of the shares of subjects and of null recordings.
        """
        return self.dataset["distance_p_value"]

    @property
    def rule(self) -> xr.DataArray:
        """The most probable answer for each recording (subject,): a rule, or no learning."""
        return self.probability.idxmax(RULE)

    def sets(self, coverage: float) -> xr.DataArray:
        """Prediction sets, as a mask of the rules in the set of each recording.

        Parameters
        ----------
        coverage : float
            Share of recordings whose set contains the true rule. Whether no learning is in the set
            is decided at a level of its own, 5 %. Rules with a p-value above one minus the coverage
            are in the set; at 0.9 this includes 0.1 itself, as 1 - 0.9 is rounded down.

        Returns
        -------
        xr.DataArray of bool, (subject, rule)
        """
        level = np.where(self.p_value[RULE] == NO_LEARNING, LEVEL, 1 - coverage)
        return self.p_value > xr.DataArray(level, dims=RULE)
