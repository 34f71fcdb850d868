"""Random streams of subjects, one for each purpose.

A stream is derived from the protocol's seed, the identity of its owner, and its purpose. So the
trajectory of a subject does not depend on other subjects of its cohort, the number of workers, the
order of work, or implanted probes; and no two purposes share draws. No two subjects share draws
either, except those of a purpose that a protocol pairs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import numpy as np

INITIAL_WEIGHTS = "initial weights"
FEEDBACK_WEIGHTS = "feedback weights"
DATA_ORDER = "data order"
AUGMENTATION = "augmentation"
DROPOUT = "dropout"
RULE_NOISE = "noise of the rule"
UPDATE_NOISE = "noise of the updates"
INDEPENDENT = "tried aside"
SETTINGS = "settings drawn from distributions"
SEARCH = "trials of a search"
PROBE_CHOICE = "probe choice"
PROBE_NOISE = "probe noise"
REFERENCE = "reference networks"
NULL = "null recordings"

PairedStream = Literal[
    "initial_weights",
    "feedback_weights",
    "data_order",
    "augmentation",
    "dropout",
    "rule_noise",
    "update_noise",
    "settings",
]
# Purposes whose draws subjects of different rules may share, by their names in a protocol.
PAIRABLE: Final[Mapping[PairedStream, str]] = {
    "initial_weights": INITIAL_WEIGHTS,
    "feedback_weights": FEEDBACK_WEIGHTS,
    "data_order": DATA_ORDER,
    "augmentation": AUGMENTATION,
    "dropout": DROPOUT,
    "rule_noise": RULE_NOISE,
    "update_noise": UPDATE_NOISE,
    "settings": SETTINGS,
}


def _words(text: str) -> list[int]:
    digest = hashlib.sha256(text.encode()).digest()
    return [int(word) for word in np.frombuffer(digest, dtype=np.uint32)]


def sequence(seed: int, *owner: str) -> np.random.SeedSequence:
    """Return the seed sequence of an owner, ``sequence(protocol_seed, subject_key, purpose)``."""
    return np.random.SeedSequence([seed, *_words("\x1f".join(owner))])


def generator(seed: int, *owner: str) -> np.random.Generator:
    """Return the NumPy generator of an owner.

    >>> a, b = generator(1, "sub-0001", DATA_ORDER), generator(1, "sub-0002", DATA_ORDER)
    >>> bool(a.random() == b.random())
    False
    """
    return np.random.Generator(np.random.PCG64DXSM(sequence(seed, *owner)))


def substream(generator: np.random.Generator, purpose: str) -> np.random.Generator:
    """Return a stream of one more purpose, without a draw from the generator.

    It is the same whatever was drawn or spawned before. A feature that draws from it moves no other
    random number, whether it is on or off.

    Parameters
    ----------
    generator : numpy.random.Generator
    purpose : str

    >>> one, other = generator(1, "sub-0001"), generator(1, "sub-0001")
    >>> drawn = substream(one, "photons").random(3)
    >>> bool(one.random() == other.random())
    True
    """
    return _derived(generator, _words(purpose))


def child(generator: np.random.Generator, number: int) -> np.random.Generator:
    """Return the stream that ``generator.spawn`` returns first, or at a later place.

    It is the same whatever was drawn or spawned before, so that it can be had twice.

    Parameters
    ----------
    generator : numpy.random.Generator
    number : int
        Place among the streams that a generator spawns from the beginning.

    >>> one, other = generator(1, "sub-0001"), generator(1, "sub-0001")
    >>> bool(child(one, 1).random() == other.spawn(2)[1].random())
    True
    """
    return _derived(generator, [number])


def _derived(generator: np.random.Generator, words: Sequence[int]) -> np.random.Generator:
    """Return the stream whose key is that of a generator with further words."""
    bits = generator.bit_generator
    parent = bits.seed_seq
    assert isinstance(parent, np.random.SeedSequence)
    key = (*parent.spawn_key, *words)
    own = np.random.SeedSequence(parent.entropy, spawn_key=key, pool_size=parent.pool_size)
    return np.random.Generator(type(bits)(own))


def integer(seed: int, *owner: str) -> int:
    """Return a 63-bit integer of an owner, for libraries whose seeds are integers."""
    return int(sequence(seed, *owner).generate_state(1, np.uint64)[0] >> np.uint64(1))
