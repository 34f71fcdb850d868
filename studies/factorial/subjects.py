"""Recorded subjects of the factorial, and the groups that are held out of training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

import virtuallab as vl
from virtuallab.decoder.features.samples import Samples, by_subject
from virtuallab.decoder.schemes.splits import groups_of, kinds_of
from virtuallab.labels import label_text
from virtuallab.protocol import expand, read
from virtuallab.subject.subject import Subject
from virtuallab.vocabulary import DONE, LAYER, PAIR, PERFORMANCE, RULE, SUBJECT

PROBE: Final = "units_300"
COMPLETE: Final = "whole_layers"  # the probe of the published observables
OBSERVABLES: Final = ("activity", "weights", "activity_change", "all")
ANGLES: Final = ("weight_angle", "total_gradient_angle")

# Sections of what a recording can be tested on, by the columns of the store.
_OF_COLUMNS: Final = (
    "architecture",
    "family",
    "task",
    "batch_size",
    "model_seed",
    "data_seed",
    "learning_rate",
)


def _senses(subject: Subject) -> str:
    return "sounds" if subject.task.name == "spoken_words" else "images"


def _supervision(subject: Subject) -> str:
    return "self-supervised" if subject.task.own_loss else "supervised"


def _normalisation(subject: Subject) -> str:
    normalisation = getattr(subject.architecture, "normalisation", "batch")
    return "local response" if normalisation == "local_response" else "other or none"


def _version(subject: Subject) -> str:
    return "version 2" if subject.architecture.name.endswith("v2") else "version 1"


# Groups that no column of the store has, from the settings of a subject.
_OF_SETTINGS: Final[Mapping[str, Callable[[Subject], str]]] = {
    "senses": _senses,
    "supervision": _supervision,
    "normalisation": _normalisation,
    "version": _version,
}
SPLITS: Final = ("kind", *_OF_COLUMNS, *_OF_SETTINGS)
# Splits whose groups have all subjects of a kind.
OF_KINDS: Final = ("kind", "architecture", "family", "task", *_OF_SETTINGS)


@dataclass(frozen=True)
class Recorded:
    """Subjects of an experiment that were recorded to the end.

    Parameters
    ----------
    features : xr.Dataset
        Of one probe, dims (subject, visit, layer, change_name).
    table : xr.Dataset
        All subjects of the protocol, dims (subject), also those that diverged.
    settings : mapping from subject name to Subject
    performance : xr.DataArray, optional
        Validation accuracy, dims (subject, visit); for controls only.
    angles : xr.Dataset, optional
        Angles (degrees) at the last visit, dims (subject): ``weight_angle`` of forward and backward
        weights, mean over layers, and ``total_gradient_angle`` of the update and the gradient.
    """

    features: xr.Dataset
    table: xr.Dataset
    settings: Mapping[str, Subject]
    performance: xr.DataArray | None = None
    angles: xr.Dataset | None = None

    @classmethod
    def of(
        cls, store: Path, protocol: Path, overrides: tuple[str, ...] = (), probe: str = PROBE
    ) -> Recorded:
        """Read the features of a store, whose protocol is read again for its subjects."""
        tree = vl.open(store)
        table = tree["subjects"].to_dataset().load()
        names = label_text(table[SUBJECT]).tolist()
        subjects = expand(read(protocol, overrides))
        if [each.key for each in subjects] != label_text(table["key"]).tolist():
            raise SystemExit(f"{store} has other subjects than {protocol}. Remove one of the two.")
        settings = dict(zip(names, subjects, strict=True))
        features = tree[f"features/{probe}"].to_dataset()
        done = np.flatnonzero(table["status"].to_numpy() == DONE)
        truth = tree["truth"].to_dataset()
        angles = truth[list(ANGLES)].isel(visit=-1).load().mean(LAYER)
        return cls(
            features.isel({SUBJECT: done}).load(),
            table,
            settings,
            performance=truth[PERFORMANCE].load(),
            angles=angles.isel({SUBJECT: done}),
        )

    @cached_property
    def labels(self) -> np.ndarray:
        """Rule of each recorded subject, (subject,)."""
        return label_text(self.features[RULE])

    @cached_property
    def kinds(self) -> np.ndarray:
        """Kind of each recorded subject, (subject,)."""
        return kinds_of(self.features)

    @cached_property
    def pairs(self) -> np.ndarray:
        """Pair of each recorded subject, (subject,)."""
        return np.asarray(self.features[PAIR])

    @property
    def classes(self) -> list[str]:
        """All rules, sorted."""
        return sorted(set(self.labels.tolist()))

    def samples(self, observable: str) -> Samples:
        """One sample a subject, as the strict scheme reads it."""
        if observable not in self._samples:
            self._samples[observable] = by_subject(self.features, observable)
        return self._samples[observable]

    @cached_property
    def _samples(self) -> dict[str, Samples]:
        return {}

    def groups(self, split: str) -> np.ndarray:
        """Group of each recorded subject, as text (subject,)."""
        if split == "kind":
            return self.kinds
        if split in _OF_COLUMNS:
            return groups_of(self.features, split)
        group: Callable[[Any], str] = _OF_SETTINGS[split]
        names = label_text(self.features[SUBJECT]).tolist()
        return np.array([group(self.settings[name]) for name in names])
