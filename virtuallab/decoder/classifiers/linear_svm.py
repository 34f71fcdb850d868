"""Linear support vector machine."""

from __future__ import annotations

from typing import Any

from virtuallab.decoder.classifier import Classifier, Grid, GridName
from virtuallab.decoder.features.samples import Samples
from virtuallab.registry import CLASSIFIERS

_COMPONENTS = (10, 20, 30, 40, 50, 100, 200, 300, 400, 500, 600)


@CLASSIFIERS.register("linear_svm")
class LinearSVM(Classifier):
    """Linear support vector machine on standardised features.

    References
    ----------
    Cortes and Vapnik 1995, "Support-vector networks".
    """

    cost = (0.006, 1.5e-7)

    def estimator(self, samples: Samples, seed: int) -> Any:
        """Pipeline that standardises, optionally reduces to principal components, and separates."""
        from virtuallab.decoder.estimators.linear_machine import LinearMachine

        machine = LinearMachine(random_state=seed % 2**32)
        return self.pipeline(samples, machine, scaled=True, reduced=True)

    def grid(self, name: GridName, samples: Samples) -> Grid:
        """Cost, and in the published scheme the number of principal components as well."""
        if name == "strict":
            return [{"classify__C": c} for c in (1e-4, 1e-3, 1e-2)]
        possible = min(samples.values.shape[1] - samples.context, int(0.6 * len(samples.values)))
        # Neighbouring visits are correlated, and fits without components take much longer.
        wanted = _COMPONENTS if name == "published" else (50, 100)
        sizes: list[int | None] = [n for n in wanted if n <= possible]
        if name == "quick":
            return [_setting(1.0, n) for n in sizes or [None]]
        costs = (1.0, 50.0, 5e2, 5e3, 5e4, 5e5, 5e6)
        return [_setting(c, n) for n in (None, *sizes) for c in costs]


def _setting(cost: float, components: int | None) -> dict[str, Any]:
    from sklearn.decomposition import PCA

    reduce = "passthrough" if components is None else PCA(components, svd_solver="full")
    return {"classify__C": cost, "prepare__rest__reduce": reduce}
