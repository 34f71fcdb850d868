"""A small protocol, and ways to spoil it."""

from __future__ import annotations

from virtuallab.errors import ProtocolError
from virtuallab.protocol import Protocol, read_text

SMALL = """\
schema_version: 1
name: small
question: Which?
seed: 3
subjects:
  architectures: [knet4]
  tasks: [digits]
  rules:
    - {name: backprop, label: sgdm}
    - name: information_alignment
      amp: 0.02
  optimizer:
    name: sgd
    learning_rate: {log_uniform: [0.01, 0.1]}
  replicates: 2
  batch_size: 32
  steps: 100
  visits: 5
probes:
  sparse:
    units: 20
analyses:
  main:
    classifiers: [random_forest]
"""


def small(*changes: tuple[str, str]) -> str:
    """Replace parts of the small protocol; each must be there exactly once."""
    text = SMALL
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def protocol(*changes: tuple[str, str]) -> Protocol:
    return read_text(small(*changes), name="p.yaml")


def complaints(text: str, *overrides: str) -> list[str]:
    """Faults of a text, as the user sees them."""
    try:
        read_text(text, name="p.yaml", overrides=overrides)
    except ProtocolError as error:
        return [str(fault) for fault in error.faults]
    return []


DESIGNS = """\
compare:
  designs:
    array: {units: [10, 20], noise: {snr: [1.0, 2.0, 4]}, observables: [activity]}
    moments: {units: 10, visits: {grid: [2, [0, 3], {count: 2}]}}
    devices: {device: [utah_array, tetrode], turnover: [0.0, 1]}
    kinds: {noise: {grid: [{}, {snr: 1.0}]}, spikes: {trials: [1, 2]}}
  seeds: 2
"""
OPEN = """\
power:
  design:
    units: {log_uniform: [10, 100]}
    visits: {uniform: [2, 5]}
    noise: {snr: {log_uniform: [0.1, 2.0]}}
    observables: [activity]
  prices: {unit: 2}
"""


def with_designs(*changes: tuple[str, str]) -> Protocol:
    """The small protocol with designs to compare and a design to search."""
    text = SMALL + DESIGNS + OPEN
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return read_text(text, name="p.yaml")
