from __future__ import annotations

import pytest

from virtuallab.lab.catalogue import page
from virtuallab.registry import RULES
from virtuallab.subject.learning.locality import Availability, Need, locality, needs_by_availability

PARTLY = {
    "difference_target_propagation": {Need.DISTURBED_PASS},
    "forward_forward": {Need.WRONG_PASS},
    "node_perturbation": {Need.PAIRED_PASS, Need.IMAGE_LOSS},
    "reward_modulated_hebbian": {Need.IMAGE_REWARD},
    "weight_mirror": {Need.NOISE_PHASE},
    "weight_perturbation": {Need.PAIRED_PASS, Need.BATCH_LOSS},
}
NOT = {
    "activation_alignment",
    "alignment",
    "backprop",
    "predictive_coding",
    "sign_symmetry",
    "symmetric_alignment",
}


@pytest.mark.parametrize("name", list(RULES))
def test_every_rule_declares_what_a_synapse_needs(name: str) -> None:
    found = needs_by_availability(RULES[name])
    assert found[Availability.SYNAPSE]
    if name in NOT:
        assert locality(RULES[name]) == "no"
    else:
        assert set(found.get(Availability.EVERYWHERE, ())) == PARTLY.get(name, set())
        assert locality(RULES[name]) == ("partly" if name in PARTLY else "yes")


def test_descriptions_of_needs_are_unique() -> None:
    assert len({need.description for need in Need}) == len(Need)


def test_a_page_lists_needs_by_where_they_are_available() -> None:
    text = " ".join(page("rules", "node_perturbation").split())
    assert (
        "Local: partly. A synapse needs at the synapse: its input; the noise in its neuron" in text
    )
    assert "without the noise; one number for each image, its loss" in text


def test_a_rule_without_needs_is_not_called_local() -> None:
    assert locality(type("Bare", (), {})) == "not said"
    assert locality(type("Older", (), {"needs": "input and response"})) == "not said"
