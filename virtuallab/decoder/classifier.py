"""Base class of classifiers: a scikit-learn estimator, and the grid of its settings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from virtuallab.decoder.features.samples import Samples

GridName = Literal["strict", "quick", "published"]
Grid = list[dict[str, Any]]


@dataclass(frozen=True)
class Classifier(ABC):
    """A classifier plug-in: a scikit-learn estimator, and the settings to choose among.

    Attributes
    ----------
    name : str
        The name that protocols use; set by the registry.
    cost : (float, float)
        Approximate seconds of one fit on one core, for ``plan``: a fixed part, and a part for each
        number in the samples.
    saved_types : tuple of str
        Qualified names of the types in a fitted estimator that belong neither to scikit-learn nor
        to virtuallab. A saved decoder may contain no other such types.
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
            Samples with the shape of those that it will be fitted to.
        seed : int
            Seed of its random state.

        Returns
        -------
        sklearn estimator
        """

    @abstractmethod
    def grid(self, name: GridName, samples: Samples) -> Grid:
        """Return the candidate settings, each a mapping of the estimator's parameters.

        Parameters
        ----------
        name : {"strict", "quick", "published"}
            The grid of the strict scheme, or the small or the full one of the published scheme.
        samples : Samples
            Samples with the shape of those that the estimator will be fitted to.

        Returns
        -------
        list of dict
            ``{}`` stands for the default settings; a grid has at least one setting.
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
        """Return a pipeline that imputes, scales, clips and classifies.

        Missing values become the median of the training samples. Context columns are neither
        scaled nor reduced. Settings of the last step are named ``classify__NAME``.

        Parameters
        ----------
        samples : Samples
            Samples with the shape of those that the pipeline will be fitted to.
        classifier : sklearn estimator
            The last step.
        scaled, bounded : bool
            Standardise columns; clip standardised values.
        reduced : bool
            Add the step ``prepare__rest__reduce``, which does nothing unless it is set.

        Returns
        -------
        sklearn.pipeline.Pipeline
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
