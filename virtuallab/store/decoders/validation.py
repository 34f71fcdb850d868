"""Validation of the structure of a loaded decoder.

Trusted types are not enough: many types of scikit-learn do not belong in a decoder, and trees
follow the indices in their arrays without a check, so that a crafted tree reads foreign memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import BaseEnsemble, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.estimators.conv1d_network import Conv1dNetwork
from virtuallab.decoder.estimators.kernel_machine import KernelMachine
from virtuallab.decoder.estimators.linear_machine import LinearMachine
from virtuallab.decoder.features.preprocessing import Bounded, MedianImputer
from virtuallab.decoder.features.samples import Samples

_PREPROCESSORS: Final = (MedianImputer, StandardScaler, Bounded, PCA, ColumnTransformer)
_CLASSIFIERS: Final = (Conv1dNetwork, KernelMachine, LinearMachine, LogisticRegression)
_TREES: Final = (RandomForestClassifier, HistGradientBoostingClassifier)
_SEARCH_TREES: Final = ("sklearn.neighbors._kd_tree", "sklearn.neighbors._ball_tree")


def check_parts(
    estimator: Any,
    space: Any,
    neighbours: Any,
    machines: Any,
    classifier: Classifier,
    learning: Any = None,
    null_space: Any = None,
    null_neighbours: Any = None,
) -> None:
    """Raise an error if the parts are not those of a decoder by a classifier.

    Parameters
    ----------
    estimator, space : Pipeline
        From features to rules, and to the space of the novelty test.
    neighbours : NearestNeighbors
    machines : Pipeline, optional
        One machine for each rule, of a decoder with out-of-set rules.
    learning, null_space, null_neighbours : optional
        Pipelines and neighbours of the test for no learning.
    classifier : Classifier
        A classifier from another package may use the types of its estimators and its
        ``saved_types``.

    Raises
    ------
    ValueError
        With the reason.
    """
    _steps(space, (PCA,))
    if machines is not None:
        _steps(machines, (OneVsRestClassifier,))
    _check_neighbours(neighbours)
    if learning is not None:
        _steps(learning, (SVC,))
        _steps(null_space, (PCA,))
        _check_neighbours(null_neighbours)
    if type(classifier).__module__.startswith("virtuallab."):
        _check_ours(estimator)
    else:
        _check_outside(estimator, classifier)


def _check_neighbours(neighbours: Any) -> None:
    if type(neighbours) is not NearestNeighbors or neighbours._fit_method != "brute":
        raise ValueError("neighbours are found otherwise")


def _check_ours(estimator: Any) -> None:
    last = _steps(estimator, (*_CLASSIFIERS, *_TREES))
    if isinstance(last, _TREES):
        before = [type(step) for _, step in estimator.steps[:-1]]
        fill = estimator.steps[0][1] if before == [MedianImputer] else None
        if fill is None or not np.isfinite(fill.medians_).all():
            raise ValueError("trees have other preprocessing than those of a decoder")
        for tree in _trees(last):
            _check_tree(*tree, columns=len(fill.medians_))


def _check_outside(estimator: Any, classifier: Classifier) -> None:
    """Refuse types that a classifier from another package does not use, and trees of any kind.

    Indices of a tree would be followed without a check.
    """
    samples = Samples(np.zeros((2, 2)), np.array(["a", "b"]), np.arange(2), visits=2)
    template = classifier.estimator(samples, 0)
    known = {type(each) for each in _estimators(template)} | {*_PREPROCESSORS, FunctionTransformer}
    for each in _estimators(estimator):
        if type(each) not in known and _full_name(each) not in classifier.saved_types:
            raise ValueError(f"{type(each).__name__} has no place in it")
        if type(each) is FunctionTransformer and each.func is not None:
            raise ValueError("FunctionTransformer has no place in it")
        if any(type(part).__module__ in _SEARCH_TREES for part in vars(each).values()):
            raise ValueError(
                f"{type(each).__name__} holds a search tree, which cannot be checked; neighbours "
                "are found with algorithm='brute'"
            )
        if isinstance(each, BaseEnsemble) or hasattr(each, "tree_"):
            raise ValueError(f"{type(each).__name__} holds trees, which cannot be checked")


def _estimators(part: Any) -> Iterator[Any]:
    """Yield an estimator and all estimators inside it, fitted ones included."""
    if isinstance(part, BaseEstimator):
        yield part
        for each in vars(part).values():
            yield from _estimators(each)
    elif isinstance(part, list | tuple):
        for each in part:
            yield from _estimators(each)


def _full_name(part: Any) -> str:
    return f"{type(part).__module__}.{type(part).__qualname__}"


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
    """Return whether an object may be part of our column transformers."""
    if type(part) is Pipeline:
        return all(step == "passthrough" or type(step) in _PREPROCESSORS for _, step in part.steps)
    # A fitted "passthrough" is an identity transformer.
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
                raise ValueError("a tree has categorical columns")
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
            raise ValueError("a tree has invalid children")
    used = feature.astype(np.int64)[inner]
    if not len(left) or (used < 0).any() or (used >= columns).any():
        raise ValueError("a tree uses columns that do not exist")
