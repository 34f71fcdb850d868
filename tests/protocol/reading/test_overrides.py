from __future__ import annotations

import pytest

from tests.protocol.texts import SMALL, complaints
from virtuallab.protocol import Protocol, read_text


def overridden(*overrides: str) -> Protocol:
    return read_text(SMALL, overrides=overrides)


def test_an_override_wins_over_the_file() -> None:
    assert overridden("subjects.replicates=7").subjects.replicates == 7


def test_the_last_override_wins() -> None:
    made = overridden("subjects.replicates=x", "subjects.replicates=7")
    assert made.subjects.replicates == 7


def test_a_value_is_read_as_yaml() -> None:
    made = overridden(
        "subjects.rules[1].amp=1e-3",
        "subjects.optimizer={name: adam, learning_rate: [1e-3, 1e-2]}",
        "subjects.visits=[0, 10]",
        "question=no",
    )
    resolved = made.resolved()
    assert resolved["subjects"]["rules"][1]["amp"] == 0.001
    assert resolved["subjects"]["rules"][0]["optimizer"]["learning_rate"] == {"grid": [0.001, 0.01]}
    assert made.subjects.visits == (0, 10)
    assert made.question == "no"


def test_a_section_that_is_not_written_is_made() -> None:
    made = overridden("probes.noisy.noise.snr=0.5", "probes.noisy.units=3")
    assert made.probes["noisy"].noise.snr == 0.5
    assert made.probes["noisy"].units == 3


def test_a_plugin_written_as_its_name_takes_settings() -> None:
    made = overridden("subjects.architectures[0].kernel=5")
    assert made.subjects.architectures[0].settings["kernel"] == 5


def test_overrides_are_remembered_and_the_text_stays() -> None:
    made = overridden("seed=5")
    assert made.overrides == ("seed=5",)
    assert made.text == SMALL


@pytest.mark.parametrize(
    ("override", "fault"),
    [
        ("subject.replicates=2", "-s subject.replicates=2: subject: unknown key. Did you mean "
         "'subjects'? Keys here: analyses, compare, name, power, probes, question, schema_version, "
         "search, seed, subjects."),
        ("subjects.replicate=2", "-s subjects.replicate=2: subjects.replicate: unknown key. Did "
         "you mean 'replicates'? Keys here: architectures, batch_size, cohort, curriculum, "
         "epochs, learning_rate_factors, loss, optimizer, paired, precision, preserve, "
         "replicates, rules, schedule, seeds, start_from, steps, tasks, visits."),
        ("subjects.replicates='2'", "-s subjects.replicates='2': subjects.replicates: should be a "
         "whole number, found '2' (text). Remove the quotes."),
        ("seed=", "-s seed=: seed: should be a whole number, found nothing."),
        ("subjects.rules[7].amp=1", "-s subjects.rules[7].amp=1: subjects.rules[7].amp: there is "
         "no entry [7]: the list has 2."),
        ("subjects.rules.amp=1", "-s subjects.rules.amp=1: subjects.rules.amp: 'amp' is a key of a "
         "mapping, but there is a list of 2."),
        ("subjects[0]=1", "-s subjects[0]=1: subjects[0]: 0 is an entry of a list, but there is "
         "a mapping of architectures, tasks, rules, optimizer, replicates, batch_size, steps, "
         "visits."),
        ("seed", "-s seed: is no setting. Write PATH=VALUE, as in subjects.replicates=2."),
        ("=5", "-s =5: is no setting. Write PATH=VALUE, as in subjects.replicates=2."),
        ("a..b=5", "-s a..b=5: is no setting. Write PATH=VALUE, as in subjects.replicates=2."),
        ("seed=[1", "-s seed=[1: seed: the '[' that opens in column 1 is not closed by ']'."),
    ],
)  # fmt: skip
def test_a_wrong_override_is_named_instead_of_a_line(override: str, fault: str) -> None:
    assert complaints(SMALL, override) == [fault]


def test_every_wrong_override_is_told() -> None:
    assert len(complaints(SMALL, "seed", "subjects.rules[9]=1", "seed=[")) == 3
