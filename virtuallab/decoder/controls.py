"""Negative controls: two questions to which the honest answer is "I cannot tell".

``visit_0``: before learning no rule has acted, so the first visit alone must give chance; if it
does not, something about the rule leaked into how subjects were made or measured.
``permuted_labels``: with the rules' names shuffled among subjects there is nothing to learn; if
accuracy stays above chance, the validation itself leaks.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr
from jaxtyping import Float

from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.samples import Samples, at_visit_0
from virtuallab.decoder.strict import cross_validated

CONTROLS = ("visit_0", "permuted_labels")
_Confusion = Float[np.ndarray, "true predicted"]


def visit_0(
    classifier: Classifier,
    features: xr.Dataset,
    observable: str,
    classes: list[str],
    *,
    folds: int,
    inner_folds: int,
    repeats: int,
    seed: int,
) -> _Confusion:
    """Counts of a decoder that sees visit 0 alone, the mean over ways to draw the folds."""
    samples = at_visit_0(features, observable)
    counts = [
        cross_validated(
            classifier,
            samples,
            classes,
            folds=folds,
            inner_folds=inner_folds,
            seed=seed + number,
            select=False,
        ).confusion
        for number in range(repeats)
    ]
    mean: _Confusion = np.mean(counts, axis=0)
    return mean


def permuted_labels(
    classifier: Classifier,
    samples: Samples,
    classes: list[str],
    *,
    folds: int,
    inner_folds: int,
    permutations: int,
    seed: int,
) -> _Confusion:
    """Counts of a decoder trained and tested on shuffled labels, the mean over permutations.

    The mean keeps the number of subjects, so its interval is as wide as that of one run: subjects
    shuffled three times are not three times as many.
    """
    stream = np.random.default_rng(seed)
    total = np.zeros((len(classes), len(classes)))
    for number in range(permutations):
        shuffled = replace(samples, labels=stream.permutation(samples.labels))
        total += cross_validated(
            classifier,
            shuffled,
            classes,
            folds=folds,
            inner_folds=inner_folds,
            seed=seed + number,
            select=False,
        ).confusion
    return total / permutations
