"""What of a protocol is searched."""

from __future__ import annotations

from tests.protocol.texts import protocol
from virtuallab.protocol import Search, expand, search_studies
from virtuallab.protocol.settings.distributions import Choice, LogUniform


def test_open_settings_of_a_rule_and_all_its_optimizers_are_searched() -> None:
    made = protocol(
        (
            "      amp: 0.02\n",
            "      amp: {log_uniform: [0.01, 0.1]}\n"
            "      feedback_optimizer: {name: sgd, momentum: {choice: [0, 0.9]}}\n",
        )
    )
    one, other = search_studies(made)
    rate = LogUniform(0.01, 0.1)
    assert one.space == {"optimizer.learning_rate": rate}
    assert other.space == {
        "amp": rate,
        "optimizer.learning_rate": rate,
        "feedback_optimizer.momentum": Choice((0.0, 0.9)),
    }
    values = {"amp": 0.05, "optimizer.learning_rate": 0.02, "feedback_optimizer.momentum": 0.9}
    for subject in other.trial(values, 3):
        assert subject.rule.amp == 0.05
        assert subject.optimizer.learning_rate == 0.02
        assert subject.feedback_optimizer is not None
        assert subject.feedback_optimizer.momentum == 0.9


def test_each_point_of_a_grid_is_a_study_and_what_has_values_is_none() -> None:
    made = protocol(
        ("[knet4]", "[knet4, {name: mlp, hidden: {grid: [[9], [8]]}}]"),
        ("batch_size: 32", "batch_size: [16, 32]"),
        ("amp: 0.02", "amp: [0.02, 0.03]"),
        ("label: sgdm}", "label: sgdm, optimizer: sgd}"),
    )
    found = search_studies(made)
    assert {study.entry.label for study in found} == {"information_alignment"}
    assert len(found) == 3 * 2 * 2
    assert found[0].label == "information_alignment (batch_size 16, amp 0.02)"
    assert list(dict.fromkeys(s.architecture for s in found)) == ["knet4", "mlp-2", "mlp-1"]
    assert len({study.name(Search()) for study in found}) == len(found)


def test_each_loss_is_searched_on_its_own() -> None:
    made = protocol(("batch_size: 32", "loss: [cross_entropy, squared_error]"))
    found = search_studies(made)
    assert [study.label for study in found] == [
        "sgdm (loss cross_entropy)",
        "sgdm (loss squared_error)",
        "information_alignment (loss cross_entropy)",
        "information_alignment (loss squared_error)",
    ]
    assert {s.loss for s in found[1].trial({"optimizer.learning_rate": 0.05}, 2)} == {
        "squared_error"
    }
    assert found[0].name(Search()) == search_studies(protocol())[0].name(Search())
    assert found[1].name(Search()) != found[0].name(Search())


def test_each_curriculum_is_searched_on_its_own() -> None:
    made = protocol(("batch_size: 32", "curriculum: [shuffled, blocked]\n  schedule: [constant]"))
    found = search_studies(made)
    assert [study.label for study in found[:2]] == [
        "sgdm (curriculum shuffled)",
        "sgdm (curriculum blocked)",
    ]
    [learner] = found[1].trial({"optimizer.learning_rate": 0.05}, 1)
    assert learner.curriculum.name == "blocked"
    assert found[0].name(Search()) == search_studies(protocol())[0].name(Search())
    assert found[1].name(Search()) != found[0].name(Search())


def test_subjects_of_a_trial_are_none_of_a_run() -> None:
    made = protocol(("{log_uniform: [0.01, 0.1]}", "{choice: [0.05]}"))
    [study, _] = search_studies(made)
    trial = study.trial({"optimizer.learning_rate": 0.05}, 2)
    keys = {subject.key for subject in trial}
    assert len(keys) == 2
    assert keys.isdisjoint(subject.key for subject in expand(made))


def test_what_decides_no_value_decides_no_name() -> None:
    def name(*changes: tuple[str, str], **how: object) -> str:
        return search_studies(protocol(*changes))[0].name(Search.model_validate(how))

    same = name()
    assert name(trials=9, generation=3) == same
    assert name(("replicates: 2", "replicates: 5")) == same
    assert name(("visits: 5", "visits: 3")) == same
    assert name(("[knet4]", "[knet4, knet5]")) == same
    assert name(("steps: 100", "steps: 90")) != same
    by_loss = name(objective="train_loss")
    assert by_loss != same
    assert name(("visits: 5", "visits: 3"), objective="train_loss") != by_loss, "another mean"
