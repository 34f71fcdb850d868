"""The section that says how to search."""

from __future__ import annotations

import pytest

from tests.protocol.texts import SMALL, complaints
from virtuallab.protocol import Search, read_text


def said(section: str) -> list[str]:
    return complaints(f"{SMALL}search: {section}\n")


def test_all_its_keys_have_defaults() -> None:
    assert read_text(f"{SMALL}search: {{}}\n").search == Search()
    assert read_text(SMALL).search is None
    assert "search" not in read_text(SMALL).resolved()


def test_it_reads_back_as_it_was_meant() -> None:
    made = read_text(f"{SMALL}search: {{trials: 9, objective: train_loss}}\n")
    assert made.resolved()["search"] == {
        "trials": 9, "generation": 16, "objective": "train_loss", "seeds": 1,
    }  # fmt: skip
    assert made.search is not None
    assert not made.search.maximised


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ("7", "p.yaml:25: search: should be a mapping of keys, found 7."),
        ("{trials: 0}", "p.yaml:25: search.trials: should be at least 1, found 0."),
        ("{trials: 1e6}", "p.yaml:25: search.trials: should be a whole number, found "
         "1000000.0. Write 1000000."),
        ("{generation: '8'}", "p.yaml:25: search.generation: should be a whole number, found '8' "
         "(text). Remove the quotes."),
        ("{seeds: 1001}", "p.yaml:25: search.seeds: should be at most 1000, found 1001."),
        ("{objective: accuracy}", "p.yaml:25: search.objective: should be "
         "'validation_performance', 'validation_loss' or 'train_loss', found 'accuracy' (text)."),
        ("{trails: 8}", "p.yaml:25: search.trails: unknown key. Did you mean 'trials'? Keys here: "
         "generation, objective, seeds, trials."),
    ],
)  # fmt: skip
def test_its_faults_are_named(section: str, fault: str) -> None:
    assert said(section) == [fault]
