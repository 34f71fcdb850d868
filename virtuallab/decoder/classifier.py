"""Base class of classifiers: an estimator of scikit-learn's form, and the settings to search."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from virtuallab.decoder.features.samples import Samples

GridName = Literal["strict", "quick", "published"]
Grid = list[dict[str, Any]]


@dataclass(frozen=True)
class Classifier(ABC):
    """A classifier plug-in: how to make its estimator, and which settings to choose among.

    Attributes
    ----------
    name : str
        The name that protocols use; set by the registry.
    cost : (float, float)
        Approximate seconds of one fit on one core, for ``plan``: a fixed part, and a part for each
        number of the samples.
    saved_types : tuple of str
        Qualified names of the types outside of scikit-learn and virtuallab of which a fitted
        estimator consists. A saved decoder may hold these and no others.
    """

    name: ClassVar[str]
    cost: ClassVar[tuple[float, float]] = (0.1, 1e-6)
    saved_types: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def estimator(self, samples: Samples, seed: int) -> Any:
        """Return an unfitted scikit-learn classifier with ``predict_proba``.

        Parameters
        ----------
        samples : Samples
            Samples of the form that it will be fitted to.
        seed : int
            Seed of its random state.
        """

    @abstractmethod
    def grid(self, name: GridName, samples: Samples) -> Grid:
        """Return the candidate settings, each a mapping of the estimator's parameters.

        Parameters
        ----------
        name : {"strict", "quick", "published"}
        samples : Samples
        """

    def pipeline(
        self,
        samples: Samples,
        classifier: Any,
        *,
        scaled: bool,
        bounded: bool = False,
        reduced: bool = False,
    ) -> Any:
        """Return a pipeline that imputes, scales, bounds and classifies.

        Missing values become the median of the training samples. Context columns are neither
        scaled nor reduced. Settings of the last step are named ``classify__NAME``.

        Parameters
        ----------
        samples : Samples
        classifier : estimator
        scaled, bounded : bool
            Standardise columns; clip standardised values.
        reduced : bool
            Add the step ``prepare__rest__reduce``, which passes columns on unless it is set.
        """
        from sklearn.compose import ColumnTransformer
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import StandardScaler

        from virtuallab.decoder.features.preprocessing import Bounded, imputation

        steps = imputation()
        if scaled:
            rest: list[tuple[str, Any]] = [("scale", StandardScaler())]
            if bounded:
                rest.append(("bound", Bounded()))
            if reduced:
                rest.append(("reduce", "passthrough"))
            context = slice(0, samples.context)
            others = slice(samples.context, samples.values.shape[1])
            columns = [("context", "passthrough", context), ("rest", Pipeline(rest), others)]
            steps.append(("prepare", ColumnTransformer(columns)))
        return Pipeline([*steps, ("classify", classifier)])
