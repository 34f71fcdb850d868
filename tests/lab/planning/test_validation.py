"""Protocols that the networks they describe do not allow are refused before training."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.stages.tiny import TEXT
from virtuallab.errors import ProtocolError
from virtuallab.lab.planning.plan import lay_out
from virtuallab.lab.planning.validation import (
    check_designs,
    check_probes,
    faults_in,
    make_plan,
)
from virtuallab.protocol import Protocol, read_text

PROBE = "probes.p={observables: [activity], units: 4}"
ANALYSIS = "analyses.a={observables: [activity], folds: 2, inner_folds: 2, permutations: 0}"
ENOUGH = "subjects.replicates=4"
CONVOLUTION = "subjects.architectures=[{name: knet4, channels: [3, 4, 4]}]"


def protocol(*overrides: str) -> Protocol:
    return read_text(TEXT, name="tiny.yaml", overrides=(ENOUGH, PROBE, ANALYSIS, *overrides))


def refused(*overrides: str) -> dict[str, str]:
    """Return the message of each fault, by its place."""
    with pytest.raises(ProtocolError) as caught:
        make_plan(protocol(*overrides))
    return {fault.path: fault.message for fault in caught.value.faults}


def test_a_protocol_that_can_be_carried_out_is_laid_out_without_costs() -> None:
    plan = make_plan(protocol())
    assert len(plan.subjects) == 8
    assert plan.costs is None


def test_a_curriculum_that_the_task_does_not_allow_is_refused() -> None:
    many = "subjects.curriculum=[shuffled, {name: blocked, classes_per_block: [5, 11]}]"
    assert refused(many) == {
        "subjects.curriculum[1]": "11 classes per block, and task 'digits' has 10 classes. Lower "
        "classes_per_block."
    }
    make_plan(protocol("subjects.curriculum=[shuffled, {name: blocked, classes_per_block: 5}]"))
    [(place, message)] = refused("subjects.curriculum={name: blocked, cycles: 1000}").items()
    assert place == "subjects.curriculum"
    assert message.startswith("5000 blocks in 1000 cycles do not fit into ")


@pytest.mark.parametrize(
    ("start", "place", "message"),
    [
        (
            "{task: {name: mnist_5k, train_images: 20, validation_images: 10, probe_images: 10}}",
            "task",
            "images of mnist_5k are 1 x 28 x 28, those of digits 1 x 8 x 8: one network cannot "
            "learn both. Choose a task with images of one shape.",
        ),
        (
            "{task: {name: digits, train_images: 1790, validation_images: 20, probe_images: 20}}",
            "task",
            "task 'digits' has 1797 images; 1790 + 20 + 20 were asked for (train_images, "
            "validation_images, probe_images).",
        ),
        (
            "{rule: difference_target_propagation, optimizer: sgd}",
            "rule",
            "rule 'difference_target_propagation' is defined for dense layers; 'conv1' of knet4 is "
            "a convolution. Use an architecture like mlp.",
        ),
        (
            "{rule: {name: weight_mirror, delay: 3}, optimizer: sgd, steps: 3}",
            "steps",
            "weight_mirror changes no forward weight in 3 steps, since its 'delay' is 3. Give the "
            "pretraining more steps, or another rule.",
        ),
        (
            "{rule: weight_mirror, optimizer: sgd, steps: 1}",
            "steps",
            "weight_mirror changes no forward weight in 1 step. Give the pretraining more steps, "
            "or another rule.",
        ),
    ],
)
def test_a_pretraining_that_the_networks_do_not_allow_is_refused(
    start: str, place: str, message: str
) -> None:
    found = refused(f"subjects.start_from={start}", *([CONVOLUTION] if place == "rule" else []))
    assert found == {f"subjects.start_from.{place}": message}
    make_plan(protocol("subjects.start_from={rule: backprop, optimizer: sgd, steps: 3}"))


def test_a_rule_that_mixed_precision_does_not_resolve_is_refused_at_its_place() -> None:
    rule = "{name: predictive_coding, optimizer: sgd}"
    found = refused("subjects.precision=mixed", f"subjects.rules=[backprop, {rule}]")
    message = (
        "rule 'predictive_coding' follows small differences, which are lost in mixed precision. "
        "Use 'precision: single' for all subjects, so that rules do not differ in it, or leave the "
        "rule out."
    )
    assert found == {"subjects.rules[1]": message}
    start = f"subjects.start_from={{rule: {rule.partition(',')[0]}}}, optimizer: sgd, steps: 3}}"
    found = refused("subjects.precision=mixed", start)
    assert found == {"subjects.start_from.rule": message}
    assert len(make_plan(protocol("subjects.precision=mixed")).subjects) == 8


def test_theory_may_be_read_of_what_follows_units_or_synapses() -> None:
    primary = "analyses.a.primary={observable: theory}"
    search = "{observables: [activity], units: {log_uniform: [2, 4]}}"
    plan = make_plan(
        protocol(
            "analyses.a.observables=[theory]",
            primary,
            "compare={designs: {d: {observables: [weights]}}, folds: 2, inner_folds: 2, "
            "observables: [theory]}",
            f"power={{design: {search}, folds: 2, inner_folds: 2, observable: theory}}",
        )
    )
    assert plan.protocol.analyses["a"].observables == ("theory",)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["compare={designs: {d: {observables: [activity]}}, observables: [weights]}"],
            r"compare\.designs\.d: measures activity, of which compare\.observables reads nothing",
        ),
        (
            ["analyses.a.scheme=published", "analyses.a.hold_out=batch_size"],
            r"analyses\.a\.hold_out: is for 'scheme: strict'",
        ),
        (
            ["probes.p.turnover=1", "analyses.a.observables=[theory]"],
            r"analyses\.a\.observables: none of these is measured by 'p', which measures act",
        ),
        (
            ["probes.p.visits=1", "analyses.a.observables=[theory]"],
            r"analyses\.a\.observables: none of these is measured by 'p', which measures act",
        ),
        (
            ["compare={designs: {d: {visits: [2]}}, observables: [theory]}"],
            r"compare\.designs\.d: measures .*, of which compare\.observables reads nothing",
        ),
        (
            ["analyses.a.scheme=published", "analyses.a.observables=[theory]"],
            r"analyses\.a\.observables: 'theory' is for 'scheme: strict'",
        ),
        (
            [
                "power={design: {observables: [activity], units: {log_uniform: [2, 4]}}, folds: 2,"
                " inner_folds: 2, observable: weights}"
            ],
            r"power\.observable: 'weights' cannot be read of this design. Choose among: activity",
        ),
        (["probes={}"], r"analyses\.a\.probes: there are none. Add a recording design"),
        (
            ["probes.p.observables=[weights]"],
            r"analyses\.a\.observables: none of these is measured by 'p', which measures weights",
        ),
    ],
)
def test_an_analysis_or_design_that_can_never_be_evaluated_is_refused_before_training(
    overrides: list[str], message: str
) -> None:
    with pytest.raises(ProtocolError, match=message):
        make_plan(protocol(*overrides))


def test_a_rule_for_dense_layers_is_refused_in_a_network_with_convolutions() -> None:
    rules = "subjects.rules=[backprop, difference_target_propagation]"
    faults = refused(CONVOLUTION, rules)
    assert list(faults) == ["subjects.rules[1]"]
    assert "is defined for dense layers" in faults["subjects.rules[1]"]
    assert make_plan(protocol(rules))


def test_an_optimizer_of_backward_weights_that_the_rule_does_not_allow_is_refused() -> None:
    other = (
        "subjects.rules=[backprop, {name: kolen_pollack, "
        "feedback_optimizer: {name: sgd, learning_rate: 0.5}}]"
    )
    [(place, message)] = refused(other).items()
    assert place == "subjects.rules[1].feedback_optimizer"
    assert "differs from optimizer in learning_rate" in message


def test_all_faults_of_rules_probes_and_analyses_are_listed_at_once() -> None:
    faults = refused(
        CONVOLUTION,
        "subjects.rules=[backprop, difference_target_propagation]",
        "probes.p.visits=9",
        "analyses.a.folds=5",
        "analyses.a.inner_folds=3",
    )
    assert {place.partition(".")[0] for place in faults} == {"subjects", "probes", "analyses"}


def test_that_two_rules_are_needed_is_a_fault_of_the_rules() -> None:
    [(place, message)] = refused("subjects.rules=[backprop]").items()
    assert place == "subjects.rules"
    assert message.startswith("there is only one rule, 'backprop', to identify; two or more are")
    power = "power={design: {units: 2, visits: {uniform: [2, 3]}}, folds: 2, inner_folds: 2}"
    assert list(refused("subjects.rules=[backprop]", "analyses={}", power)) == ["subjects.rules"]


def test_where_a_network_cannot_be_built_nothing_is_said_about_probes() -> None:
    faults = refused(
        "subjects.architectures=[{name: mlp, hidden: [1000000000]}]", "probes.p.visits=9"
    )
    assert list(faults) == ["subjects.architectures[0]"]


def test_the_message_about_a_probe_names_the_first_network_that_does_not_allow_it() -> None:
    two = "subjects.architectures=[{name: mlp, hidden: [4]}, {name: mlp, hidden: [6]}]"
    assert refused(two, "probes.p.visits=9")["probes.p.visits"].startswith("in mlp-1: ")


def test_probes_of_another_protocol_are_checked_against_the_preserved_subjects() -> None:
    plan = lay_out(protocol())
    check_probes(protocol("probes.p.visits=3"), plan)
    longer = protocol("subjects.visits=5", "probes.p.visits=5")
    make_plan(longer)
    with pytest.raises(ProtocolError, match=r"probes\.p\.visits: in mlp: "):
        check_probes(longer, plan)


def designs(*overrides: str) -> Protocol:
    return protocol("compare={designs: {d: {units: 2}}, folds: 2, inner_folds: 2}", *overrides)


def test_a_protocol_without_designs_has_no_faults_of_designs() -> None:
    check_designs(protocol("probes.p.visits=9"), lay_out(protocol()))


@pytest.mark.parametrize(
    ("overrides", "place"),
    [
        (["compare.designs.d.visits=9"], r"compare\.designs\.d\.visits"),
        (["compare.folds=5"], r"compare\.folds"),
        (
            ["power={design: {units: 2, visits: {uniform: [2, 9]}}, target: 0.7, folds: 2}"],
            r"power\.design\.visits",
        ),
    ],
    ids=["one of several designs", "folds", "largest value of an open setting"],
)
def test_designs_that_the_subjects_do_not_allow_are_refused(
    overrides: list[str], place: str
) -> None:
    plan = lay_out(protocol())
    check_designs(designs(), plan)
    with pytest.raises(ProtocolError, match=place):
        check_designs(designs(*overrides), plan)


@pytest.mark.parametrize("section", ["compare", "power"])
def test_too_few_crossed_seeds_for_designs_name_the_setting_of_model_seeds(section: str) -> None:
    power = "power={design: {units: 2, visits: {uniform: [2, 3]}}, target: 0.7, folds: 2}"
    asked = designs(
        power,
        f"{section}.folds=5",
        "subjects.seeds={model: 3, data: 2}",
        "subjects.replicates=null",
    )
    with pytest.raises(ProtocolError, match=rf"{section}\.folds.*Raise subjects\.seeds\.model"):
        check_designs(asked, lay_out(asked))


def test_faults_of_several_files_include_those_that_only_networks_show(tmp_path: Path) -> None:
    files = {
        "good.yaml": TEXT,
        "unknown.yaml": TEXT.replace("seed: 3", "sed: 3"),
        "dense.yaml": TEXT.replace("{name: mlp, hidden: [4]}", "knet4").replace(
            "[backprop, ", "[difference_target_propagation, "
        ),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = [str(fault) for fault in faults_in([tmp_path / name for name in files])]
    assert not any("good.yaml" in line for line in found)
    assert any("unknown.yaml" in line and "unknown key" in line for line in found)
    assert any("dense.yaml" in line and "dense layers" in line for line in found)
