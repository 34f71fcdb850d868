"""A tiny experiment: two rules, one hidden layer, no trial steps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from virtuallab.lab.planning.plan import Costs, Plan, lay_out
from virtuallab.lab.services.workers import LocalPool
from virtuallab.lab.stages import reference, snapshots
from virtuallab.lab.stages.train import train_subjects
from virtuallab.protocol import read_text
from virtuallab.store import Store, create_store

TEXT = """\
schema_version: 1
name: tiny
question: Which rule?
seed: 3
subjects:
  architectures: [{name: mlp, hidden: [4]}]
  tasks: [{name: digits, train_images: 16, validation_images: 10, probe_images: 10}]
  rules: [backprop, {name: feedback_alignment, label: fa}]
  optimizer: {name: sgd, learning_rate: 0.05}
  replicates: 2
  batch_size: 8
  steps: 4
  visits: 3
probes: {}
analyses: {}
"""
WILD = (
    "subjects.rules=[backprop, "
    "{name: backprop, label: wild, optimizer: {name: sgd, learning_rate: 1.0e+30}}]"
)


def tiny_plan(*overrides: str, cohorts: Sequence[Sequence[int]] = ((0, 1), (2, 3))) -> Plan:
    """Lay the protocol out, with cohorts that are given instead of measured."""
    plan = lay_out(read_text(TEXT, name="tiny.yaml", overrides=overrides))
    costs = Costs(tuple(map(tuple, cohorts)), 1, 0.0, 0.0, 0.0, {}, "", ())
    return replace(plan, costs=costs)


def tiny_store(folder: Path, plan: Plan, *, preserve: bool = True) -> Store:
    """Make the store of a plan, with its reference networks and nodes of snapshots, if any."""
    folder.mkdir(exist_ok=True)
    store = create_store(
        folder / "lab.zarr",
        subjects=plan.to_dataset(),
        provenance={"title": "tiny", "protocol_sha256": "ab", "versions": json.dumps({})},
        plan=plan.stored(),
    )
    for group in plan.network_groups if preserve else ():
        snapshots.declare(store, group, plan.visit_coordinates)
    reference.keep(store, plan.network_groups, plan.protocol.seed)
    return store


def trained_store(folder: Path, plan: Plan) -> Store:
    """Make the store of a plan and train its subjects."""
    store = tiny_store(folder, plan)
    train_subjects(plan, store, LocalPool(1), "cpu", lambda _: None)
    return store
