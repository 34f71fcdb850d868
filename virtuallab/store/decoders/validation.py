"""Check that the parts of a loaded decoder are combined as those of this package are.

Trusted types are not enough: many of scikit-learn's own types have no place in a decoder, and trees
follow the indices in their arrays without a check, so that a crafted tree reads foreign memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from virtuallab.decoder.estimators.conv1d_network import Conv1dNetwork
from virtuallab.decoder.estimators.kernel_machine import KernelMachine
from virtuallab.decoder.estimators.linear_machine import LinearMachine
from virtuallab.decoder.features.preprocessing import Bounded, Finite

_PREPROCESSORS: Final = (Finite, SimpleImputer, StandardScaler, Bounded, PCA, ColumnTransformer)
_CLASSIFIERS: Final = (Conv1dNetwork, KernelMachine, LinearMachine, LogisticRegression)
_TREES: Final = (RandomForestClassifier, HistGradientBoostingClassifier)


def check_parts(estimator: Any, space: Any, neighbours: Any, machines: Any) -> None:
    """Refuse parts that no decoder of ours has, or that are combined otherwise.

    Parameters
    ----------
    estimator, space : Pipeline
        From features to rules, and to the space of the novelty test.
    neighbours : NearestNeighbors
    machines : Pipeline, optional
        One machine a rule, of a decoder with out-of-set rules.

    Raises
    ------
    ValueError
        Says what is wrong.
    """
    last = _steps(estimator, (*_CLASSIFIERS, *_TREES))
    _steps(space, (PCA,))
    if machines is not None:
        _steps(machines, (OneVsRestClassifier,))
    if type(neighbours) is not NearestNeighbors or neighbours._fit_method != "brute":
        raise ValueError("neighbours are found otherwise")
    if isinstance(last, _TREES):
        before = [type(step) for _, step in estimator.steps[:-1]]
        fill = estimator.steps[1][1] if before == [Finite, SimpleImputer] else None
        if fill is None or not np.isfinite(fill.statistics_).all():
            raise ValueError("trees are given what no decoder gives them")
        for tree in _trees(last):
            _check_tree(*tree, columns=len(fill.statistics_))


def _steps(part: Any, ends: tuple[type, ...]) -> Any:
    """Return the last step of a pipeline, all of whose steps are of allowed types."""
    if type(part) is not Pipeline:
        raise ValueError(f"{type(part).__name__} is no pipeline")
    *before, (_, last) = part.steps
    foreign = [step for _, step in before if type(step) not in _PREPROCESSORS]
    foreign += [] if type(last) in ends else [last]
    for _, step in before:
        if type(step) is ColumnTransformer:
            foreign += [each for _, each, _ in step.transformers_ if not _is_preprocessor(each)]
    if foreign:
        raise ValueError(f"{type(foreign[0]).__name__} has no place in it")
    return last


def _is_preprocessor(part: Any) -> bool:
    """Return whether an object may be part of a column transformer of ours."""
    if type(part) is Pipeline:
        return all(step == "passthrough" or type(step) in _PREPROCESSORS for _, step in part.steps)
    # What passes columns on is an object of its own once it is fitted.
    return part in ("passthrough", "drop") or (
        type(part) is FunctionTransformer and part.func is None
    )


def _trees(ensemble: Any) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield for each tree, of its nodes: left child, right child, feature, whether it is a leaf."""
    if isinstance(ensemble, RandomForestClassifier):
        for one in ensemble.estimators_:
            tree = one.tree_
            left = tree.children_left
            yield left, tree.children_right, tree.feature, left == -1
        return
    if ensemble._preprocessor is not None:
        raise ValueError("columns are changed before its trees")
    for stage in ensemble._predictors:
        for one in stage:
            nodes = one.nodes
            if nodes["is_categorical"].any():
                raise ValueError("a tree asks for categories")
            leaf = nodes["is_leaf"].astype(bool)
            yield nodes["left"], nodes["right"], nodes["feature_idx"], leaf


def _check_tree(
    left: np.ndarray, right: np.ndarray, feature: np.ndarray, leaf: np.ndarray, *, columns: int
) -> None:
    own, inner = np.arange(len(left)), ~leaf
    for child in (left, right):
        there = child.astype(np.int64)[inner]
        # Children come after their parents, so that every descent ends.
        if (there <= own[inner]).any() or (there >= len(left)).any():
            raise ValueError("a tree leads out of itself")
    asked = feature.astype(np.int64)[inner]
    if not len(left) or (asked < 0).any() or (asked >= columns).any():
        raise ValueError("a tree asks for columns that there are not")
