"""Entries of the rules, with their labels and optimizers."""

from __future__ import annotations

from tests.protocol.texts import protocol
from virtuallab.protocol.sections.rule_entry import RuleEntry
from virtuallab.protocol.settings.distributions import Grid, LogUniform
from virtuallab.protocol.settings.plugin_spec import plain


def entry() -> RuleEntry:
    amp = ("      amp: 0.02\n", "      amp: [0.01, 0.02]\n      feedback_optimizer: adam\n")
    return protocol(amp).subjects.rule_entries[1]


def test_a_rule_without_an_optimizer_has_that_of_all() -> None:
    raw, whole = protocol().subjects.rules[1], protocol().subjects.rule_entries[1]
    assert raw.optimizer is None
    assert whole.optimizer == protocol().subjects.optimizer
    assert raw.label == "information_alignment"


def test_settings_of_rule_and_optimizers_are_named_by_path() -> None:
    settings = entry().settings
    assert settings.grid == {"amp": Grid((0.01, 0.02))}
    assert settings.space == {"optimizer.learning_rate": LogUniform(0.01, 0.1)}


def test_its_points_and_replacements_reach_every_plugin() -> None:
    first, second = entry().points()
    assert (first.rule.settings["amp"], second.rule.settings["amp"]) == (0.01, 0.02)
    made = first.replaced({"optimizer.learning_rate": 0.5, "feedback_optimizer.learning_rate": 0.1})
    assert made.optimizer is not None
    assert made.feedback_optimizer is not None
    assert made.optimizer.settings["learning_rate"] == 0.5
    assert made.feedback_optimizer.settings["learning_rate"] == 0.1


def test_it_is_written_with_every_setting() -> None:
    written = plain(entry())
    assert written["name"] == written["label"] == "information_alignment"
    assert written["amp"] == {"grid": [0.01, 0.02]}
    assert written["optimizer"]["learning_rate"] == {"log_uniform": [0.01, 0.1]}
    assert written["feedback_optimizer"]["name"] == "adam"
