"""What a user is told, to the letter."""

from __future__ import annotations

import pytest

from tests.protocol.texts import SMALL, complaints, small
from virtuallab import registry
from virtuallab.registry import TASKS

RATE = "learning_rate: {log_uniform: [0.01, 0.1]}"
RULES = """\
  rules:
    - {name: backprop, label: sgdm}
    - name: information_alignment
      amp: 0.02
"""
KEYS = (
    "architectures, batch_size, cohort, curriculum, epochs, learning_rate_factors, loss, "
    "optimizer, paired, precision, preserve, replicates, rules, schedule, seeds, start_from, "
    "steps, tasks, visits"
)


def test_the_small_protocol_has_no_faults() -> None:
    assert complaints(SMALL) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        # keys
        (("seed: 3\n", ""), "p.yaml:1: seed: missing key. It has no default."),
        (("  replicates: 2\n", ""), "p.yaml:5: subjects: missing key: replicates or seeds, the "
         "number of subjects of each rule."),
        (("replicates: 2", "replicates: 2\n  optimiser: sgd"), "p.yaml:16: subjects.optimiser: "
         f"unknown key. Did you mean 'optimizer'? Keys here: {KEYS}."),
        (("amp: 0.02", "ampp: 0.02"), "p.yaml:11: subjects.rules[1].ampp: unknown key. Did you "
         "mean 'amp'? Keys here: activity, alternate, amp, centre, decay, delay, "
         "equal, feedback_optimizer, label, name, noise_std, null, optimizer, positions, ramp, "
         "ramp_from, ramp_start, ramp_stop, replicates."),
        (("visits: 5\n", "visits: 5\n  seed: 4\n"),
         f"p.yaml:19: subjects.seed: unknown key. Did you mean 'seeds'? Keys here: {KEYS}."),
        (("replicates: 2", "replicates: 2\n  steps: 7"),
         "p.yaml:18: subjects.steps: this key is already on line 16. Remove one."),
        (("amp: 0.02", "label: ''"), "p.yaml:11: subjects.rules[1].label: should be made of "
         "letters a to z, digits, '_' and '-', not beginning with '-', found '' (text)."),
        (("name: small", "name: a/b"), "p.yaml:2: name: should be made of letters a to z, digits, "
         "'_' and '-', not beginning with '-', found 'a/b' (text)."),
        (("name: small", "name: -x"), "p.yaml:2: name: should be made of letters a to z, digits, "
         "'_' and '-', not beginning with '-', found '-x' (text)."),
        (("  sparse:", "  spa rse:"), "p.yaml:20: probes.spa rse: should be made of letters a "
         "to z, digits, '_' and '-', not beginning with '-', found 'spa rse' (text)."),
        (("schema_version: 1", "schema_version: 2"),
         "p.yaml:1: schema_version: should be 1, found 2."),
        # kinds
        (("replicates: 2", "replicates: '8'"), "p.yaml:15: subjects.replicates: should be a whole "
         "number, found '8' (text). Remove the quotes."),
        (("amp: 0.02", "amp: '1e-3'"), "p.yaml:11: subjects.rules[1].amp: should be a number, "
         "found '1e-3' (text). Remove the quotes."),
        (("seed: 3", "seed: yes"), "p.yaml:4: seed: should be a whole number, found 'yes' (text)."),
        (("seed: 3", "seed: 1.0"), "p.yaml:4: seed: should be a whole number, found 1.0. Write 1."),
        (("seed: 3", "seed: -1"), "p.yaml:4: seed: should be at least 0, found -1."),
        (("name: small", "name: 5"), "p.yaml:2: name: should be text, found 5. Put it in "
         "quotes: '5'."),
        (("tasks: [digits]", "tasks: digit"), "p.yaml:7: subjects.tasks: no task is called "
         f"'digit'. Did you mean 'digits'? Known: {', '.join(TASKS)}."),
        (("tasks: [digits]", "tasks: [digits mnist_5k]"), "p.yaml:7: subjects.tasks[0]: found "
         "several names in one text. Write a list: [digits, mnist_5k]."),
        (("[knet4]", "[{mlp}]"), "p.yaml:6: subjects.architectures[0].name: missing key. Write "
         "name: mlp, and its settings beside it."),
        (("[knet4]", "[MLP]"), "p.yaml:6: subjects.architectures[0]: no architecture is called "
         f"'MLP'. Did you mean 'mlp'? Known: {', '.join(sorted(registry.ARCHITECTURES.docs()))}."),
        (("visits: 5", "visits: all"), "p.yaml:18: subjects.visits: should be a whole number or a "
         "list, found 'all' (text)."),
        (("visits: 5", "visits: 1"), "p.yaml:18: subjects.visits: should be at least 2, found 1."),
        (("visits: 5", "visits: 5\n  cohort: 0"),
         "p.yaml:19: subjects.cohort: should be at least 1, found 0."),
        (("visits: 5", "visits: 5\n  cohort: mesured"), "p.yaml:19: subjects.cohort: should be a "
         "whole number or 'measured', found 'mesured' (text). Did you mean 'measured'?"),
        # plug-ins
        (("- name: information_alignment", "- name: information_alignmnt"),
         "p.yaml:10: subjects.rules[1].name: no rule is called 'information_alignmnt'. Did you "
         f"mean 'information_alignment'? Known: {', '.join(registry.RULES)}."),
        (("[knet4]", "[knet4, knt5]"), "p.yaml:6: subjects.architectures[1]: no architecture is "
         "called 'knt5'. Did you mean 'knet5'? Known: "
         f"{', '.join(sorted(registry.ARCHITECTURES.docs()))}."),
        (("batch_size: 32", "loss: crossentropy"), "p.yaml:16: subjects.loss: no loss is called "
         "'crossentropy'. Did you mean 'cross_entropy'? Known: cross_entropy, squared_error."),
        (("batch_size: 32", "loss: [cross_entropy, square_error]"), "p.yaml:16: subjects.loss[1]: "
         "no loss is called 'square_error'. Did you mean 'squared_error'? Known: cross_entropy, "
         "squared_error."),
        (("batch_size: 32", "loss: 2"),
         "p.yaml:16: subjects.loss: should be the name of a loss, found 2."),
        (("[digits]", "[digit]"), "p.yaml:7: subjects.tasks[0]: no task is called 'digit'. Did you "
         f"mean 'digits'? Known: {', '.join(TASKS)}."),
        (("name: sgd\n", "name: sdg\n"), "p.yaml:13: subjects.optimizer.name: no optimizer is "
         "called 'sdg'. Did you mean 'sgd'? Known: adam, adamw, exponentiated_gradient, sgd."),
        (("- {name: backprop, label: sgdm}", "- {label: sgdm}"), "p.yaml:9: "
         f"subjects.rules[0].name: missing key. Known: {', '.join(registry.RULES)}."),
        # learning rates
        ((RATE, "learning_rate: 0"), "p.yaml:14: subjects.optimizer.learning_rate: should be "
         "greater than 0, found 0."),
        ((RATE, "learning_rate: [0.1, -0.1]"), "p.yaml:14: subjects.optimizer.learning_rate[1]: "
         "should be greater than 0, found -0.1."),
        ((RATE, "learning_rate: {log_uniform: [-0.1, 0.1]}"), "p.yaml:14: subjects.optimizer."
         "learning_rate.log_uniform[0]: should be greater than 0, found -0.1."),
        ((RATE, "learning_rate: {log_uniform: [0.1, 0.01]}"), "p.yaml:14: subjects.optimizer."
         "learning_rate.log_uniform: the low end must lie below the high end, found [0.1, 0.01]."),
        ((RATE, "learning_rate: []"), "p.yaml:14: subjects.optimizer.learning_rate: the list is "
         "empty. Give at least one value."),
        # lists
        ((RULES, "  rules: []\n"), "p.yaml:8: subjects.rules: the list is empty. Give at least "
         "one."),
        ((RULES, "  rules:\n"), "p.yaml:8: subjects.rules: should be a list, found nothing."),
        (("amp: 0.02", "activity: noise\n      centre: true"), "p.yaml:10: subjects.rules[1]: "
         "'centre: true' has nothing to do where 'activity' is 'noise'."),
        # probes and analyses
        (("units: 20", "units: -20"), "p.yaml:21: probes.sparse.units: should be at least 1, "
         "found -20."),
        (("units: 20", "unit: 20"), "p.yaml:21: probes.sparse.unit: unknown key. Did you mean "
         "'units'? Keys here: calcium, daily_loss, daily_return, device, division, drift, "
         "insertions, keep, layers, noise, observables, pool, radius, selection, spikes, "
         "statistics, stimuli, synapses, synapses_per_layer, turnover, units, units_per_layer, "
         "visit_interval, visits."),
        (("units: 20", "turnover: 2"), "p.yaml:21: probes.sparse.turnover: should be at most 1, "
         "found 2."),
        (("units: 20", "device: nothing.json"), "p.yaml:21: probes.sparse.device: nothing.json: "
         "there is no such file beside the protocol."),
        (("units: 20", "spikes: {missed: 2}"), "p.yaml:21: probes.sparse.spikes.missed: should be "
         "at most 1, found 2."),
        (("units: 20", "visits: {first: 3}"), "p.yaml:21: probes.sparse.visits.count: missing key. "
         "It has no default."),
        (("units: 20", "calcium: 3"), "p.yaml:21: probes.sparse.calcium: should be a mapping of "
         "keys, found 3."),
        (("units: 20", "noise: {snr: -1}"), "p.yaml:21: probes.sparse.noise.snr: should be greater "
         "than 0, found -1."),
        (("    units: 20\n", ""), "p.yaml:20: probes.sparse: should be a mapping of keys, "
         "found nothing."),
        # what has to agree
        (("analyses:\n", "  Sparse: {units: 3}\nanalyses:\n"), "p.yaml:22: probes.Sparse: differs "
         "from 'sparse' in capitals alone. Give it another name."),
        (("label: sgdm", "label: information_alignment"), "p.yaml:10: subjects.rules[1].label: "
         "'information_alignment' is the label of rules[0] too. Give this one a label of its own, "
         "so that a decoder can tell them apart."),
        (("  optimizer:\n    name: sgd\n    learning_rate: {log_uniform: [0.01, 0.1]}\n", ""),
         "p.yaml:9: subjects.rules[0]: no optimizer. Give this rule one, or all of them: "
         "subjects.optimizer."),
        (("[knet4]", "[knet4, {name: knet4, kernel: 3}]"), "p.yaml:6: subjects.architectures[1]: "
         "is also in architectures[0], with the same settings. Remove one."),
        (("[digits]", "[digits, digits]"), "p.yaml:7: subjects.tasks[1]: is also in tasks[0], with "
         "the same settings. Remove one."),
        (("replicates: 2", "replicates: 1000000"), "p.yaml:15: subjects.replicates: these are "
         "2,000,000 subjects (rules with their values and replicates 2,000,000); at most 50,000 "
         "are possible. Give fewer values or replicates."),
        (("steps: 100", "steps: 100\n  epochs: 3"), "p.yaml:17: subjects.steps: epochs is given "
         "too. Keep one of the two."),
        (("  steps: 100\n", ""), "p.yaml:5: subjects: missing key: epochs or steps, the length of "
         "training."),
        (("visits: 5", "visits: 102"), "p.yaml:18: subjects.visits: 102 visits do not fit into "
         "training (100 steps). At most 101 do."),
        (("visits: 5", "visits: [0, 50, 101]"), "p.yaml:18: subjects.visits[2]: step 101 is after "
         "the end of training (100 steps)."),
        (("visits: 5", "visits: [0, 50, 50]"), "p.yaml:18: subjects.visits[2]: visits ascend; "
         "found 50 after 50."),
        (("visits: 5", "visits: [10, 50]"), "p.yaml:18: subjects.visits[0]: the first visit is at "
         "step 0, before learning; found 10. Put 0 first."),
        (("batch_size: 32", "batch_size: 2000"), "p.yaml:16: subjects.batch_size: a batch of 2000 "
         "cannot be filled: there are 1200 training images. Lower it."),
    ],
)  # fmt: skip
def test_a_fault_names_line_key_and_what_was_found(changes: tuple[str, str], fault: str) -> None:
    told = complaints(small(changes))
    # Without a default optimizer both rules lack one; the first says it all.
    assert told[0] == fault
    assert len(told) == (2 if "no optimizer." in fault else 1)


def test_visits_beyond_epochs_name_the_epochs() -> None:
    text = small(("steps: 100", "epochs: 2"), ("visits: 5", "visits: [0, 99]"))
    assert complaints(text) == [
        "p.yaml:18: subjects.visits[1]: step 99 is after the end of training (74 steps, 2 epochs)."
    ]


def test_epochs_that_are_not_the_same_steps_for_all_are_refused() -> None:
    text = small(("steps: 100", "epochs: 2"), ("batch_size: 32", "batch_size: [32, 60]"))
    assert complaints(text) == [
        "p.yaml:17: subjects.epochs: 2 epochs are 40 to 74 steps, depending on batch size and "
        "training images, and all subjects are visited at the same steps. Give steps instead."
    ]


def test_all_faults_are_told_in_the_order_of_the_file() -> None:
    text = small(
        ("seed: 3", "sed: 3"),
        ("[knet4]", "[knet]"),
        ("replicates: 2", "replicates: 0"),
        ("units: 20", "units: 0"),
        ("random_forest", "rndom_forest"),
    )
    told = complaints(text)
    assert [fault.split(": ")[0] for fault in told] == [
        f"p.yaml:{line}" for line in (1, 4, 6, 15, 21, 24)
    ]


def test_an_unknown_classifier_is_told_with_the_nearest() -> None:
    [fault] = complaints(small(("random_forest", "rndom_forest")))
    assert fault.startswith(
        "p.yaml:24: analyses.main.classifiers[0]: no classifier is called 'rndom_forest'. "
        "Did you mean 'random_forest'? Known: "
    )
