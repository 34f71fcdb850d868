"""Numbers and estimators of a saved decoder: taken apart, and put together again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from virtuallab.decoder.features.centring import Centres
from virtuallab.decoder.fitted_decoder import FittedDecoder
from virtuallab.decoder.uncertainty.conformal import Conformity
from virtuallab.decoder.uncertainty.no_learning import NoLearningTest
from virtuallab.decoder.uncertainty.novelty import NoveltyDetector


def numbers_of(trained: FittedDecoder) -> dict[str, Any]:
    """All of a decoder but its estimators, as plain data."""
    return {
        "rules": list(trained.rules),
        "temperature": trained.temperature,
        "conformity": [scores.tolist() for scores in trained.conformity.scores],
        "own_p_value": trained.own_p_value.tolist(),
        "novelty": trained.novelty.tolist(),
        "distance": trained.distance.tolist(),
        "no_learning": _numbers_of(trained.no_learning),
        "centres": _numbers_of_centres(trained.centres),
    }


def estimators_of(trained: FittedDecoder) -> dict[str, Any]:
    """The estimators of a decoder by name, as :func:`decoder_of` takes them."""
    parts = {
        "estimator": trained.estimator,
        "space": trained.detector.space_,
        "neighbours": trained.detector.neighbours_,
        "machines": trained.detector.machines_,
    }
    if (test := trained.no_learning) is not None:
        parts |= {
            "learning": test.machine,
            "null_space": test.detector.space_,
            "null_neighbours": test.detector.neighbours_,
        }
    return parts


def decoder_of(numbers: Mapping[str, Any], parts: Mapping[str, Any]) -> FittedDecoder:
    """Decoder of its numbers and its estimators.

    Raises
    ------
    ValueError, KeyError
        If they do not fit together, or one is missing.
    """
    scores = tuple(_ascending(each) for each in numbers["conformity"])
    rules = tuple(map(str, numbers["rules"]))
    known = sorted(map(str, parts["estimator"].classes_))
    if sorted(rules) != known or len(scores) != len(rules):
        raise ValueError(f"it names {', '.join(rules)}, its estimator {', '.join(known)}")
    detector = _detector(parts["space"], parts["neighbours"], parts["machines"])
    return FittedDecoder(
        rules=rules,
        estimator=parts["estimator"],
        temperature=float(numbers["temperature"]),
        conformity=Conformity(scores),
        own_p_value=_ascending(numbers["own_p_value"]),
        detector=detector,
        novelty=_ascending(numbers["novelty"]),
        distance=_ascending(numbers["distance"]),
        no_learning=_no_learning(numbers["no_learning"], parts),
        centres=_centres(numbers["centres"]),
    )


def _numbers_of(test: NoLearningTest | None) -> dict[str, Any] | None:
    if test is None:
        return None
    return {
        "slope": test.slope,
        "intercept": test.intercept,
        "learners": test.learners.tolist(),
        "nulls": {kind: scores.tolist() for kind, scores in test.nulls.items()},
        "distance": test.distance.tolist(),
    }


def _numbers_of_centres(centres: Centres | None) -> dict[str, Any] | None:
    if centres is None:
        return None
    return {name: values.tolist() for name, values in vars(centres).items()}


def _centres(numbers: Any) -> Centres | None:
    if numbers is None:
        return None
    overall, between, within = (
        np.array(numbers[name], dtype=np.float64) for name in ("overall", "between", "within")
    )
    together = np.array([overall, between, within])
    if together.ndim != 2 or not np.isfinite(together).all() or (together[1:] < 0).any():
        raise ValueError("its centres are no finite numbers, or their variances are negative")
    return Centres(overall, between, within)


def _no_learning(numbers: Any, parts: Any) -> NoLearningTest | None:
    if numbers is None:
        return None
    if not numbers["nulls"]:
        raise ValueError("it has no null models")
    return NoLearningTest(
        machine=parts["learning"],
        slope=float(numbers["slope"]),
        intercept=float(numbers["intercept"]),
        learners=_ascending(numbers["learners"]),
        nulls={str(kind): _ascending(scores) for kind, scores in numbers["nulls"].items()},
        detector=_detector(parts["null_space"], parts["null_neighbours"], None),
        distance=_ascending(numbers["distance"]),
    )


def _detector(space: Any, neighbours: Any, machines: Any) -> NoveltyDetector:
    found = NoveltyDetector()
    found.space_, found.neighbours_, found.machines_ = space, neighbours, machines
    return found


def _ascending(values: Any) -> np.ndarray:
    found = np.array(values, dtype=np.float64)
    if found.ndim != 1 or (np.diff(found) < 0).any():
        raise ValueError("scores are not in order")
    return found
