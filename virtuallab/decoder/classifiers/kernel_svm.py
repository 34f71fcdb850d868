"""Support vector machine with a radial kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from virtuallab.decoder.classifier import Classifier, Grid, Scheme
from virtuallab.decoder.samples import Samples
from virtuallab.registry import CLASSIFIERS

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator


@CLASSIFIERS.register("kernel_svm")
@dataclass(frozen=True)
class KernelSVM(Classifier):
    """Support vector machine with a radial kernel, on standardised and bounded features.

    References
    ----------
    Cortes and Vapnik 1995, "Support-vector networks". Rifkin and Klautau 2004, "In Defense of
    One-Vs-All Classification".
    """

    cost: ClassVar[tuple[float, float]] = (0.008, 4e-7)

    def estimator(self, samples: Samples, seed: int, **settings: Any) -> BaseEstimator:
        """Standardise, bound, separate."""
        from virtuallab.decoder.estimators.kernel_machine import KernelMachine

        machine = KernelMachine(random_state=seed % 2**32, **settings)
        return self.pipeline(samples, machine, scaled=True, bounded=True)

    def grid(self, scheme: Scheme, samples: Samples) -> Grid:
        """Cost; the published scheme has no such machine."""
        costs = {"strict": (10.0,), "quick": (1.0, 10.0)}.get(scheme, (0.1, 1.0, 10.0, 100.0))
        return [{"C": cost} for cost in costs]
