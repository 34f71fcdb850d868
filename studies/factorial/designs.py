"""Comparison of recording designs in the subjects of the factorial, by ``virtuallab compare``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from studies.factorial.accuracies import CONFIDENCE, Accuracy
from virtuallab.decoder.uncertainty import comparison
from virtuallab.labels import label_text
from virtuallab.vocabulary import CLASSIFIER, DESIGN, OBSERVABLE, PAIR, RULE


@dataclass(frozen=True)
class Designs:
    """Results of all designs of the protocol.

    Parameters
    ----------
    found : xr.Dataset
        As :func:`virtuallab.compare` returns it, of one classifier.
    """

    found: xr.Dataset

    def label(self, name: str, **settings: float) -> str:
        """Label of the design of a name with these settings; ``noise__snr`` is ``noise.snr``."""
        keep = label_text(self.found["design_name"]) == name
        for path, value in settings.items():
            keep &= np.isclose(self.found[path.replace("__", ".")].values.astype(float), value)
        [label] = label_text(self.found[DESIGN])[keep].tolist()
        return str(label)

    def accuracy(self, label: str, observable: str) -> Accuracy:
        """Balanced accuracy of a design, with its interval."""
        one = self._of(label, observable)
        return Accuracy(float(one["balanced_accuracy"]), *map(float, one["interval"].values))

    def less(self, one: tuple[str, str], other: tuple[str, str]) -> Accuracy:
        """Accuracy of one design and observable minus that of another, in the same subjects."""
        here, there = (self._of(*each)["identified"].values.astype(float) for each in (one, other))
        labels = label_text(self.found[RULE])
        pairs = np.asarray(self.found[PAIR].values)
        return Accuracy(*comparison.difference(here, there, labels, CONFIDENCE, pairs=pairs))

    def _of(self, label: str, observable: str) -> xr.Dataset:
        return self.found.sel({DESIGN: label, OBSERVABLE: observable}).isel({CLASSIFIER: 0})
