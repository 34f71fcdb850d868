from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from virtuallab import seeds
from virtuallab.registry import ARCHITECTURES, OPTIMIZERS, RULES, TASKS
from virtuallab.subject.subject import Cohort, Subject, kind

ONE = Subject(
    architecture=ARCHITECTURES["mlp"](),
    task=TASKS["digits"](),
    rule=RULES["information_alignment"](),
    optimizer=OPTIMIZERS["sgd"](),
    label="alignment",
    batch_size=32,
    steps=100,
    replicate=0,
    seed=2020,
)

OTHERS: dict[str, Any] = {
    "architecture": ARCHITECTURES["mlp"](hidden=(3,)),
    "task": TASKS["digits"](train_images=100),
    "rule": RULES["information_alignment"](amp=0.5),
    "optimizer": OPTIMIZERS["sgd"](learning_rate=0.5),
    "feedback_optimizer": OPTIMIZERS["adam"](),
    "label": "another",
    "loss": "squared_error",
    "precision": "mixed",
    "batch_size": 16,
    "steps": 200,
    "replicate": 1,
    "seed": 2021,
}


def test_an_identity_can_be_written_as_json() -> None:
    assert json.loads(json.dumps(ONE.identity))["architecture"] == {
        "name": "mlp",
        "hidden": [128, 64],
    }


def test_equal_subjects_have_the_same_key() -> None:
    assert replace(ONE).key == ONE.key
    assert len(ONE.key) == 16
    assert int(ONE.key, 16) >= 0


def test_the_key_does_not_depend_on_python_or_the_machine() -> None:
    plain = replace(ONE, rule=RULES["backprop"](), label="backprop")
    text = (
        '{"architecture":{"hidden":[128,64],"name":"mlp"},"batch_size":32,"label":"backprop",'
        '"optimizer":{"learning_rate":0.01,"momentum":0.9,"name":"sgd","nesterov":false,'
        '"noise":0.0,"noise_fraction":0.0,"weight_decay":0.0},"replicate":0,'
        '"rule":{"name":"backprop"},"seed":2020,"steps":100,"task":'
        '{"name":"digits","probe_images":64,"train_images":1200,"validation_images":300}}'
    )
    assert json.dumps(plain.identity, sort_keys=True, separators=(",", ":")) == text
    assert plain.key == "c0be161b397766d8"


def test_the_default_loss_is_not_part_of_an_identity() -> None:
    assert "loss" not in ONE.identity
    assert replace(ONE, loss="squared_error").identity == {**ONE.identity, "loss": "squared_error"}


def test_the_default_precision_is_not_part_of_an_identity() -> None:
    assert "precision" not in ONE.identity
    assert replace(ONE, precision="mixed").identity == {**ONE.identity, "precision": "mixed"}


def test_pairing_is_part_of_an_identity_only_where_there_is_a_pair() -> None:
    assert not {"pair", "paired"} & set(ONE.identity)
    pair = replace(ONE, pair="p", paired=("data_order",))
    assert pair.identity == {**ONE.identity, "pair": "p", "paired": ["data_order"]}
    assert pair.stream(seeds.DATA_ORDER) == ("p", seeds.DATA_ORDER)
    assert pair.stream(seeds.DROPOUT) == (pair.key, seeds.DROPOUT)
    assert ONE.stream(seeds.DATA_ORDER) == (ONE.key, seeds.DATA_ORDER)


@pytest.mark.parametrize("field", list(OTHERS))
def test_every_setting_changes_the_key(field: str) -> None:
    assert replace(ONE, **{field: OTHERS[field]}).key != ONE.key


@pytest.mark.parametrize("field", ["rule", "optimizer", "label", "replicate", "seed"])
def test_subjects_that_differ_in_numbers_can_be_a_cohort(field: str) -> None:
    other = replace(ONE, **{field: OTHERS[field]})
    assert Cohort((ONE, other)).subjects == (ONE, other)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("architecture", OTHERS["architecture"]),
        ("task", OTHERS["task"]),
        ("batch_size", 16),
        ("steps", 200),
        ("loss", "squared_error"),
        ("precision", "mixed"),
        ("rule", RULES["backprop"]()),
        ("rule", RULES["information_alignment"](positions="sum")),
        ("optimizer", OPTIMIZERS["adam"]()),
        ("optimizer", OPTIMIZERS["sgd"](nesterov=True)),
        ("feedback_optimizer", OPTIMIZERS["sgd"]()),
    ],
)
def test_subjects_of_different_kinds_cannot_be_a_cohort(field: str, value: object) -> None:
    other = replace(ONE, **{field: value})
    assert kind(other) != kind(ONE)
    with pytest.raises(ValueError, match="found 2 different kinds"):
        Cohort((ONE, other))


def test_an_empty_cohort_is_rejected() -> None:
    with pytest.raises(ValueError, match="found 0"):
        Cohort(())
