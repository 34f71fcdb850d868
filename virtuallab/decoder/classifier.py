"""What a classifier is to the decoder: an estimator, and the settings worth trying."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from virtuallab.decoder.samples import Samples

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator
    from sklearn.pipeline import Pipeline

Scheme = Literal["strict", "quick", "published"]
Grid = list[dict[str, Any]]


@dataclass(frozen=True)
class Classifier(ABC):
    """A classifier by name: how to make one, and which settings to choose among."""

    name: ClassVar[str]
    cost: ClassVar[tuple[float, float]] = (0.1, 1e-6)
    """Seconds that a fit takes on one core, for a plan: a fixed part, and a part for each number of
    the samples. Rough figures do."""

    @abstractmethod
    def estimator(self, samples: Samples, seed: int, **settings: Any) -> BaseEstimator:
        """Make an unfitted estimator with ``predict_proba`` for samples of this form."""

    @abstractmethod
    def grid(self, scheme: Scheme, samples: Samples) -> Grid:
        """Settings to choose among; with one entry nothing needs to be chosen."""

    def pipeline(
        self,
        samples: Samples,
        last: Any,
        *,
        scaled: bool,
        bounded: bool = False,
        components: int | None = None,
    ) -> Pipeline:
        """Fill what is missing by the training samples' median, scale, bound, reduce, classify.

        Context columns are neither scaled nor reduced.
        """
        from sklearn.compose import ColumnTransformer
        from sklearn.decomposition import PCA
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import StandardScaler

        from virtuallab.decoder.preparing import Bounded, Finite

        steps: list[tuple[str, Any]] = [
            ("finite", Finite()),
            ("fill", SimpleImputer(strategy="median", keep_empty_features=True)),
        ]
        if scaled:
            prepared: list[tuple[str, Any]] = [("scale", StandardScaler())]
            if bounded:
                prepared.append(("bound", Bounded()))
            if components is not None:
                prepared.append(("reduce", PCA(components, svd_solver="full")))
            context = slice(0, samples.context)
            rest = slice(samples.context, samples.values.shape[1])
            columns = [("context", "passthrough", context), ("rest", Pipeline(prepared), rest)]
            steps.append(("prepare", ColumnTransformer(columns)))
        return Pipeline([*steps, ("classify", last)])
