"""Tasks that take their images from another task, in a protocol."""

from __future__ import annotations

import jsonschema
import pytest

from tests.protocol.texts import complaints, protocol, small
from virtuallab.protocol import expand, read_text
from virtuallab.protocol.schema import document
from virtuallab.registry import TASKS

TASK = "  tasks: [digits]"


def with_task(text: str) -> tuple[str, str]:
    return TASK, f"  tasks: [{text}]"


def test_the_other_task_is_a_name_or_a_mapping() -> None:
    named = protocol(with_task("{name: rotation, of: mnist_5k, train_images: 320}"))
    mapped = protocol(with_task("{name: rotation, of: {name: mnist_5k}, train_images: 320}"))
    found = {subject.task for each in (named, mapped) for subject in expand(each)}
    assert found == {TASKS["rotation"](of=TASKS["mnist_5k"](), train_images=320)}


def test_the_resolved_protocol_reads_back() -> None:
    made = protocol(with_task("{name: contrastive, of: mnist_5k, views: 3}"))
    again = read_text(small(with_task(str(made.resolved()["subjects"]["tasks"][0]))), name="p.yaml")
    assert expand(again)[0].task == expand(made)[0].task


def test_the_loss_of_the_task_replaces_that_of_the_protocol() -> None:
    made = protocol(with_task("digits, contrastive, reconstruction"))
    found = {subject.task.name: subject.loss for subject in expand(made)}
    expected = {"contrastive": "nt_xent", "reconstruction": "mean_squared_error"}
    assert found == expected | {"digits": "cross_entropy"}


def test_a_draw_of_a_classification_does_not_depend_on_other_tasks() -> None:
    alone, beside = (protocol(with_task(text)) for text in ("digits", "digits, rotation"))
    keys = {subject.key for subject in expand(beside)}
    assert {subject.key for subject in expand(alone)} < keys


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            [with_task("{name: rotation, of: digts}")],
            "p.yaml:7: subjects.tasks[0].of: no task is called 'digts'. Did you mean 'digits'?",
        ),
        (
            [with_task("{name: rotation, of: {train_images: 50}}")],
            "p.yaml:7: subjects.tasks[0].of.name: missing key. Known: cifar10, cifar100, digits, ",
        ),
        (
            [with_task("{name: rotation, of: nonsense}")],
            "p.yaml:7: subjects.tasks[0].of: no task is called 'nonsense'. Known: cifar10, "
            "cifar100, digits, ",
        ),
        (
            [with_task("{name: rotation, of: {name: digits, train_images: 50}}")],
            "p.yaml:7: subjects.tasks[0]: 'train_images' has to stand beside 'of', not in it.",
        ),
        (
            [with_task("{name: contrastive, of: rotation}")],
            "p.yaml:7: subjects.tasks[0]: 'of' has to be a classification task;",
        ),
        (
            [("  batch_size: 32", "  batch_size: 32\n  loss: nt_xent")],
            "p.yaml:17: subjects.loss: 'nt_xent' is the loss of tasks that name it themselves.",
        ),
        (
            [
                with_task("digits, rotation"),
                ("  batch_size: 32", "  batch_size: 32\n  loss: [cross_entropy, squared_error]"),
            ],
            "p.yaml:17: subjects.loss: several losses, but task 'rotation' has its own",
        ),
    ],
)
def test_what_cannot_be_learned_is_refused(changes: list[tuple[str, str]], message: str) -> None:
    [found] = complaints(small(*changes))
    assert found.startswith(message)


def test_the_schema_accepts_them() -> None:
    tasks = document()["properties"]["subjects"]
    schema = {**document(), **document()["$defs"]["Subjects"]["properties"]["tasks"]}
    schema = {key: schema[key] for key in ("$defs", "anyOf")}
    assert tasks
    jsonschema.validate(["digits", {"name": "rotation", "of": "mnist_5k"}], schema)
    jsonschema.validate([{"name": "rotation", "of": {"name": "mnist_5k"}, "largest": 30}], schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate([{"name": "rotation", "of": "contrastive"}], schema)
