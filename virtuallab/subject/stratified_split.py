"""Random splits of images that keep the proportions of the classes."""

from __future__ import annotations

import jaxtyping as jt
import numpy as np


def stratified_split(
    labels: jt.Int[np.ndarray, " image"], count: int, seed: int
) -> tuple[jt.Int[np.ndarray, " chosen"], jt.Int[np.ndarray, " other"]]:
    """Random images with the classes in their proportions, and all other images.

    Equal, index for index, to scikit-learn's ``train_test_split(..., train_size=count,
    stratify=labels, random_state=seed)``. Every command that builds a network splits images, and
    importing scikit-learn would double the time of the fastest.

    Parameters
    ----------
    labels : array of int, (image,)
        Class of each image.
    count : int
        Images to draw; both parts must have at least as many images as there are classes.
    seed : int

    Returns
    -------
    chosen, others : array of int
        Indices of images, in random order.
    """
    stream = np.random.RandomState(seed)
    _, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    members = np.split(np.argsort(classes, kind="stable"), np.cumsum(sizes)[:-1])
    drawn = _shares(sizes, count, stream)
    left = _shares(sizes - drawn, len(labels) - count, stream)
    chosen: list[int] = []
    others: list[int] = []
    for own, first, second in zip(members, drawn, left, strict=True):
        order = own[stream.permutation(len(own))]
        chosen += order[:first].tolist()
        others += order[first : first + second].tolist()
    return stream.permutation(chosen), stream.permutation(others)


def _shares(
    sizes: jt.Int[np.ndarray, " class"], count: int, stream: np.random.RandomState
) -> jt.Int[np.ndarray, " class"]:
    """Divide a count among classes by their sizes; ties between remainders are drawn."""
    exact = sizes / sizes.sum() * count
    shares = np.floor(exact)
    remainders = exact - shares
    missing = int(count - shares.sum())
    for remainder in np.sort(np.unique(remainders))[::-1]:
        if missing <= 0:
            break
        (tied,) = np.where(remainders == remainder)
        taken = min(len(tied), missing)
        shares[stream.choice(tied, size=taken, replace=False)] += 1
        missing -= taken
    whole: np.ndarray = shares.astype(np.int64)
    return whole
