"""Predictions of a decoder for recordings: probabilities, prediction sets and novelty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from virtuallab.vocabulary import RULE, SUBJECT


@dataclass(frozen=True)
class Prediction:
    """What a decoder predicts for some recordings.

    Parameters
    ----------
    dataset : xr.Dataset
        ``probability`` and ``p_value`` (subject, rule); ``novelty``, ``novelty_p_value`` and
        ``distance_p_value`` (subject,).
    """

    dataset: xr.Dataset

    @classmethod
    def of(
        cls,
        rules: Sequence[str],
        *,
        probability: np.ndarray,
        p_value: np.ndarray,
        novelty: np.ndarray,
        novelty_p_value: np.ndarray,
        distance_p_value: np.ndarray,
    ) -> Prediction:
        """Label arrays over (subject, rule) and (subject,)."""
        return cls(
            xr.Dataset(
                {
                    "probability": ((SUBJECT, RULE), probability),
                    "p_value": ((SUBJECT, RULE), p_value),
                    "novelty": (SUBJECT, novelty),
                    "novelty_p_value": (SUBJECT, novelty_p_value),
                    "distance_p_value": (SUBJECT, distance_p_value),
                },
                coords={RULE: np.array(rules, dtype=object)},
            )
        )

    @property
    def probability(self) -> xr.DataArray:
        """Calibrated probability of each rule, given that it is one of the decoder's rules."""
        return self.dataset["probability"]

    @property
    def p_value(self) -> xr.DataArray:
        """Conformal p-value: share of a rule's training subjects that conform to it no better."""
        return self.dataset["p_value"]

    @property
    def novelty(self) -> xr.DataArray:
        """Novelty score: larger where a recording resembles the rules of the decoder less."""
        return self.dataset["novelty"]

    @property
    def novelty_p_value(self) -> xr.DataArray:
        """Share of the training subjects whose novelty score was at least as large."""
        return self.dataset["novelty_p_value"]

    @property
    def distance_p_value(self) -> xr.DataArray:
        """Share of the training subjects that were at least as far from their neighbours."""
        return self.dataset["distance_p_value"]

    @property
    def rule(self) -> xr.DataArray:
        """The most probable rule of each recording."""
        return self.probability.idxmax(RULE)

    def sets(self, coverage: float) -> xr.DataArray:
        """Prediction sets: whether each rule is in the set of each recording.

        Parameters
        ----------
        coverage : float
            Share of recordings whose set contains the true rule.
        """
        return self.p_value > 1 - coverage
