"""References help only if they do not share the rule that is to be identified."""

from __future__ import annotations

import numpy as np
import pytest

from tests.decoder.kinds import EACH, RULES, subjects
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.reference_choices import (
    ALL_RULES,
    FEW_RULES,
    MOSTLY_OWN_RULE,
    OWN_RULE,
    one_rule,
)
from virtuallab.decoder.schemes.referenced import cross_validate_referenced
from virtuallab.decoder.tables import referenced_table
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy
from virtuallab.registry import CLASSIFIERS


def accuracies(samples: Samples, kinds: np.ndarray) -> dict[str, float]:
    """Mean accuracy over held-out architectures, of each choice of references."""
    group = np.array([kind.split()[0] for kind in kinds])
    found = cross_validate_referenced(
        CLASSIFIERS["logistic_regression"](), samples, kinds, group, RULES, inner_folds=2, seed=3
    )
    choices = dict.fromkeys(choice for choice, _ in found)
    for choice in choices:
        assert {g for c, g in found if c == choice} == {"knet4", "mlp", "resnet"}
        assert found[choice, "mlp"].confusion.sum() == 2 * EACH * len(RULES)
    return {
        choice: float(
            np.mean([balanced_accuracy(r.confusion) for (c, _), r in found.items() if c == choice])
        )
        for choice in choices
    }


@pytest.mark.parametrize("paired", [False, True])
def test_references_of_all_rules_help_and_those_of_the_same_rule_do_not(paired: bool) -> None:
    found = accuracies(*subjects(spread=8.0, paired=paired))
    assert found[ALL_RULES] > 0.85
    assert 0.6 < found[FEW_RULES] <= found[ALL_RULES]
    # The rule is centred away: what is left says the middle rule of all.
    assert found[OWN_RULE] == pytest.approx(1 / 3, abs=0.07)
    assert found[MOSTLY_OWN_RULE] < found[ALL_RULES] - 0.2
    assert {one_rule(rule) for rule in RULES} < set(found)


def test_a_kind_with_one_subject_of_a_rule_is_not_tested() -> None:
    samples, kinds = subjects(spread=3.0)
    first = np.isin(kinds, ["mlp digits", "mlp words", "resnet words"]) & (samples.labels == "sgd")
    rows = np.flatnonzero(~first | (np.cumsum(first) % EACH == 1))
    few = samples.take(rows)
    group = np.array([kind.split()[0] for kind in kinds[rows]])
    found = cross_validate_referenced(
        CLASSIFIERS["logistic_regression"](), few, kinds[rows], group, RULES, inner_folds=2, seed=3
    )
    assert {name for _, name in found} == {"knet4", "resnet"}
    assert found[ALL_RULES, "resnet"].confusion.sum() == EACH * len(RULES)
    table = referenced_table(found, 0.95)
    assert table["referenced_accuracy"].notnull().all()
    none = cross_validate_referenced(
        CLASSIFIERS["logistic_regression"](),
        few,
        np.arange(len(rows)).astype(str),
        group,
        RULES,
        inner_folds=2,
        seed=3,
    )
    assert none == {}


def test_a_rule_that_a_kind_has_not_gives_no_references_there() -> None:
    samples, kinds = subjects(spread=3.0)
    rows = np.flatnonzero((samples.labels != "sgd") | ~np.char.startswith(kinds, "mlp"))
    group = np.array([kind.split()[0] for kind in kinds[rows]])
    found = cross_validate_referenced(
        CLASSIFIERS["logistic_regression"](),
        samples.take(rows),
        kinds[rows],
        group,
        RULES,
        inner_folds=2,
        seed=3,
    )
    assert (one_rule("sgd"), "mlp") not in found
    table = referenced_table(found, 0.95)["referenced_accuracy"]
    assert table.sel(reference=one_rule("sgd")).isnull().values.tolist() == [False, True, False]
    assert int(table.isnull().sum()) == 1


def test_rules_without_an_effect_are_not_identified() -> None:
    found = accuracies(*subjects(spread=3.0, effect=0.0))
    for choice, accuracy in found.items():
        assert accuracy == pytest.approx(1 / 3, abs=0.09), choice


def test_few_references_do_no_harm_where_kinds_do_not_differ() -> None:
    found = accuracies(*subjects(spread=0.0))
    assert found[FEW_RULES] == pytest.approx(found[ALL_RULES], abs=0.03)
    assert found[OWN_RULE] > 0.85  # nothing of the references is believed
