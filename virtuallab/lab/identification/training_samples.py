"""Samples on which a decoder is trained: of its rules, of outliers, and of null recordings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import jaxtyping as jt
import numpy as np

from virtuallab.decoder.features.centring import Centres
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.uncertainty.no_learning import NullSamples
from virtuallab.lab.identification.null_recordings import total_change

FROZEN = "frozen"  # the null model in which nothing but noise changes


@dataclass(frozen=True)
class TrainingSamples:
    """Samples of an experiment's subjects and of their null models, with the kind of each.

    Parameters
    ----------
    own : Samples
        Of the rules among which a decoder chooses.
    kinds : array of str, (own,)
        Kind of each subject.
    outliers : Samples or None
        Of other rules.
    outlier_kinds : array of str, (outlier,)
    nulls : NullSamples or None
    null_kinds : array of str, (null recording,)
        Kind of the subject from whose states each was made.
    centres : Centres or None
        If all values are relative to the centre of their kind.
    """

    own: Samples
    kinds: np.ndarray
    outliers: Samples | None
    outlier_kinds: np.ndarray
    nulls: NullSamples | None
    null_kinds: np.ndarray
    centres: Centres | None = None

    @classmethod
    def of(
        cls,
        samples: Samples,
        nulls: NullSamples | None,
        kinds: np.ndarray,
        *,
        others: Collection[str],
        absent: Sequence[int],
    ) -> TrainingSamples:
        """Divide the samples of all subjects.

        Parameters
        ----------
        samples : Samples
        nulls : NullSamples or None
            Their owners are rows of the samples.
        kinds : array of str, (sample,)
        others : collection of str
            Rules of outliers.
        absent : sequence of int
            Columns that are left out.
        """
        values = samples.values.copy()
        values[:, list(absent)] = np.nan
        named = ~np.isin(samples.labels, list(others))
        # Recordings of one pair, or of one subject and its null models, are held out together.
        owners = np.arange(len(samples.labels)) if samples.pairs is None else samples.pairs
        every = replace(samples, values=values, owners=owners)
        null_kinds = kinds[:0]
        if nulls is not None:
            null_kinds = kinds[nulls.owners]
            nulls = replace(nulls, owners=owners[nulls.owners])
        return cls(
            own=every.take(np.flatnonzero(named)),
            kinds=kinds[named],
            outliers=None if named.all() else every.take(np.flatnonzero(~named)),
            outlier_kinds=kinds[~named],
            nulls=nulls,
            null_kinds=null_kinds,
        )

    @property
    def rules(self) -> list[str]:
        """Rules among which a decoder chooses, sorted."""
        return sorted(set(self.own.labels.tolist()))

    @property
    def absent(self) -> tuple[int, ...]:
        """Columns without a value in any subject."""
        finite = np.isfinite(self.own.values).any(0)
        if self.outliers is not None:
            finite |= np.isfinite(self.outliers.values).any(0)
        return tuple(np.flatnonzero(~finite).tolist())

    @property
    def still(self) -> jt.Float[np.ndarray, " recording"]:
        """Change of recordings in which nothing changes but noise, ascending, of values as read."""
        if self.nulls is None:
            return np.empty(0)
        found = total_change(self.nulls.values[self.nulls.kinds == FROZEN], self.own.visits)
        return np.sort(found[np.isfinite(found)])

    def centred(self) -> TrainingSamples:
        """Return the same samples, relative to the centre of their kind.

        Centres are made of subjects of the rules among which a decoder chooses; labels are not
        used.
        """
        centres = Centres.of(self.own.values, self.kinds)
        reference = self.own.values, self.kinds
        outliers, nulls = self.outliers, self.nulls
        if outliers is not None:
            moved = centres.relative(outliers.values, self.outlier_kinds, *reference)
            outliers = replace(outliers, values=moved)
        if nulls is not None:
            moved = centres.relative(nulls.values, self.null_kinds, *reference)
            nulls = replace(nulls, values=moved)
        own = replace(self.own, values=centres.centred(*reference))
        return replace(self, own=own, outliers=outliers, nulls=nulls, centres=centres)
