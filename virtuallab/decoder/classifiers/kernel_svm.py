"""Support vector machine with a radial kernel."""

from __future__ import annotations

from typing import Any

from virtuallab.decoder.classifier import Classifier, Grid, GridName
from virtuallab.decoder.features.samples import Samples
from virtuallab.registry import CLASSIFIERS


@CLASSIFIERS.register("kernel_svm")
class KernelSVM(Classifier):
    """Support vector machine with a radial kernel, on standardised and clipped features.

    References
    ----------
    Cortes and Vapnik 1995, "Support-vector networks". Rifkin and Klautau 2004, "In Defense of
    One-Vs-All Classification".
    """

    cost = (0.008, 4e-7)

    def estimator(self, samples: Samples, seed: int) -> Any:
        """Pipeline that standardises and clips, and one machine for each class against the rest."""
        from virtuallab.decoder.estimators.kernel_machine import KernelMachine

        machine = KernelMachine(random_state=seed % 2**32)
        return self.pipeline(samples, machine, scaled=True, bounded=True)

    def grid(self, name: GridName, samples: Samples) -> Grid:
        """Cost of a misclassified sample; the publication has no grid for this classifier."""
        costs = {"strict": (10.0,), "quick": (1.0, 10.0)}.get(name, (0.1, 1.0, 10.0, 100.0))
        return [{"classify__C": cost} for cost in costs]
