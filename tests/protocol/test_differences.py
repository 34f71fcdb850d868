from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.texts import SMALL
from virtuallab.protocol import differences, read_text


def changed(*overrides: str) -> list[str]:
    return differences(
        read_text(SMALL).resolved(), read_text(SMALL, overrides=overrides).resolved()
    )


@pytest.mark.parametrize(
    ("override", "difference"),
    [
        ("seed=4", "seed was 3, now 4"),
        ("subjects.rules[1].amp=2e-3", "subjects.rules[1].amp was 0.02, now 0.002"),
        ("subjects.rules[1].amp=[1, 2]",
         'subjects.rules[1].amp was 0.02, now {"grid": [1.0, 2.0]}'),
        ("subjects.rules[0].optimizer={name: sgd, learning_rate: 0.1}",
         'subjects.rules[0].optimizer.learning_rate was {"log_uniform": [0.01, 0.1]}, now 0.1'),
        ("subjects.visits=[0, 9]", "subjects.visits was 5, now [0, 9]"),
        ("probes.sparse.noise.snr=2",
         'probes.sparse.noise was null, now {"sigma": null, "snr": 2.0, "unit_snr": null}'),
        ("probes={}", 'probes.sparse was'),
        ("subjects.tasks=[digits, mnist_5k]", "subjects.tasks[1] is new: 'mnist_5k'"),
        ("subjects.rules=[{name: backprop, label: sgdm}]",
         "subjects.rules had 'information_alignment', now gone"),
    ],
)  # fmt: skip
def test_a_difference_names_the_key_and_both_values(override: str, difference: str) -> None:
    [told] = changed(override)
    assert told.startswith(difference)


def test_no_difference_is_none() -> None:
    assert changed() == []


def test_the_order_of_rules_is_no_difference() -> None:
    resolved: dict[str, Any] = read_text(SMALL).resolved()
    turned = read_text(SMALL).resolved()
    turned["subjects"]["rules"].reverse()
    assert differences(resolved, turned) == []


def test_all_differences_are_told() -> None:
    assert len(changed("seed=4", "subjects.replicates=3", "question=Why?")) == 3
