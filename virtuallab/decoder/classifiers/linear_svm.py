"""Linear support vector machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from virtuallab.decoder.classifier import Classifier, Grid, Scheme
from virtuallab.decoder.samples import Samples
from virtuallab.registry import CLASSIFIERS

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

_COMPONENTS = (10, 20, 30, 40, 50, 100, 200, 300, 400, 500, 600)


@CLASSIFIERS.register("linear_svm")
@dataclass(frozen=True)
class LinearSVM(Classifier):
    """Linear support vector machine on standardised features.

    References
    ----------
    Cortes and Vapnik 1995, "Support-vector networks".
    """

    cost: ClassVar[tuple[float, float]] = (0.006, 1.5e-7)

    def estimator(self, samples: Samples, seed: int, **settings: Any) -> BaseEstimator:
        """Standardise, reduce to principal components if asked, separate."""
        from virtuallab.decoder.estimators.linear_machine import LinearMachine

        components = settings.pop("components", None)
        machine = LinearMachine(random_state=seed % 2**32, **settings)
        return self.pipeline(samples, machine, scaled=True, components=components)

    def grid(self, scheme: Scheme, samples: Samples) -> Grid:
        """Published: C x principal components, as many as the samples can support."""
        if scheme == "strict":
            return [{"C": c} for c in (1e-4, 1e-3, 1e-2)]
        possible = min(samples.values.shape[1] - samples.context, int(0.6 * len(samples.values)))
        # Visits in a row say much the same: without components the quick grid is no longer quick.
        wanted = _COMPONENTS if scheme == "published" else (50, 100)
        sizes: list[int | None] = [n for n in wanted if n <= possible]
        if scheme == "quick":
            return [{"C": 1.0, "components": n} for n in sizes or [None]]
        costs = (1.0, 50.0, 5e2, 5e3, 5e4, 5e5, 5e6)
        return [{"C": c, "components": n} for n in (None, *sizes) for c in costs]
