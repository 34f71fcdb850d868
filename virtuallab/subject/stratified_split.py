"""Random split of images that keeps the proportions of the classes."""

from __future__ import annotations

import jaxtyping as jt
import numpy as np


def stratified_split(
    labels: jt.Int[np.ndarray, " image"], count: int, seed: int
) -> tuple[jt.Int[np.ndarray, " sample"], jt.Int[np.ndarray, " rest"]]:
    """Indices of a stratified random sample of images, and of the remaining images.

    Equal, index for index, to scikit-learn's ``train_test_split(..., train_size=count,
    stratify=labels, random_state=seed)``. Every command that builds a network splits images, and
    importing scikit-learn would double the time of the fastest command.

    Parameters
    ----------
    labels : array of int, (image,)
        Class of each image.
    count : int
        Images to draw. Both parts need at least as many images as there are classes.
    seed : int

    Returns
    -------
    sample, rest : array of int
        In random order.
    """
    stream = np.random.RandomState(seed)
    _, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    members = np.split(np.argsort(classes, kind="stable"), np.cumsum(sizes)[:-1])
    sample_sizes = _allocate(sizes, count, stream)
    rest_sizes = _allocate(sizes - sample_sizes, len(labels) - count, stream)
    sample: list[int] = []
    rest: list[int] = []
    for images, first, second in zip(members, sample_sizes, rest_sizes, strict=True):
        order = images[stream.permutation(len(images))]
        sample += order[:first].tolist()
        rest += order[first : first + second].tolist()
    return stream.permutation(sample), stream.permutation(rest)


def _allocate(
    sizes: jt.Int[np.ndarray, " class"], count: int, stream: np.random.RandomState
) -> jt.Int[np.ndarray, " class"]:
    """Divide a count among classes by their sizes; ties between remainders are broken at random."""
    exact = sizes / sizes.sum() * count
    allocated = np.floor(exact)
    remainders = exact - allocated
    missing = int(count - allocated.sum())
    for remainder in np.sort(np.unique(remainders))[::-1]:
        if missing <= 0:
            break
        (tied,) = np.where(remainders == remainder)
        taken = min(len(tied), missing)
        allocated[stream.choice(tied, size=taken, replace=False)] += 1
        missing -= taken
    return np.asarray(allocated, np.int64)
