"""The protocol that ``virtuallab init`` writes."""

from __future__ import annotations

STARTER = """\
# yaml-language-server: $schema=./schema/protocol.schema.json
# The line above lets an editor complete and check this file. `virtuallab schema` prints it anew.
# Next: virtuallab plan FILE (what it would take), virtuallab run FILE (do it).
schema_version: 1
name: my_experiment              # the experiment is kept in runs/my_experiment.zarr
question: Can 50 noisy units tell backprop from feedback alignment?
seed: 1                          # all random streams derive from it

subjects:                        # every architecture x task x rule x replicate
  architectures: [knet4]         # `virtuallab list` names the others
  tasks: [digits]
  rules:                         # the answers the decoder chooses from
    - backprop
    - feedback_alignment
  optimizer:                     # one for all: a setting that one rule alone has would give it away
    name: sgd
    momentum: 0.9
    # One value is drawn for each subject. Also: a number, a list (each value is tried),
    # {uniform: [low, high]} or {choice: [a, b]}; for any number of a rule or an optimizer.
    learning_rate: {log_uniform: [0.003, 0.1]}
  replicates: 20
  batch_size: 32
  epochs: 10
  visits: 11                     # moments to record at, from before learning to the end
  cohort: 20                     # trained together; fixes the rounding, not the science

probes:                          # recording designs, all implanted in the same subjects
  everything:
    keep: statistics             # all units; not kept, since it can be recorded again
  array:
    units: 50
    noise: {snr: 1.0}            # as strong as the signal of a layer before learning

analyses:                        # ways to ask which rule was at work
  main:
    observables: [activity, all]
    classifiers: [kernel_svm]
    # The one of these comparisons that answers the question; the others stand beside it.
    primary: {probe: array, observable: activity}
"""
