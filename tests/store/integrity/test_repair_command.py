from __future__ import annotations

import json
from pathlib import Path

from virtuallab.store.integrity.repair_command import (
    is_probe_or_analysis,
    repair_command,
    stage_repair_command,
)

OWN = {"protocol_resolved": json.dumps({"probes": {"utah": {}}, "analyses": {"main": {}}})}
STORE = Path("my runs/lab.zarr")


def test_other_protocols_parts_name_their_command() -> None:
    run = "virtuallab run PROTOCOL.yaml --store 'my runs/lab.zarr'"
    probe = "virtuallab probe 'my runs/lab.zarr' --pro"
    assert repair_command(STORE, "features/utah", OWN) == run
    assert stage_repair_command(STORE, "subjects", OWN) == run
    assert repair_command(STORE, "decoding/main", OWN) == "virtuallab decode 'my runs/lab.zarr'"
    assert stage_repair_command(STORE, "probe-new", OWN).startswith(probe)
    assert "of analysis 'mine'" in repair_command(STORE, "decoding/mine", OWN)


def test_only_analyses_of_a_copy_can_be_made_anew_from_it() -> None:
    copy = {**OWN, "left_out": json.dumps(["snapshots"])}
    export = "virtuallab export ORIGINAL.zarr 'my runs/lab.zarr'"
    for node in ("", "subjects", "features/utah", "features/other"):
        assert repair_command(STORE, node, copy).startswith(export)
    assert repair_command(STORE, "decoding/main", copy) == "virtuallab decode 'my runs/lab.zarr'"


def test_a_store_can_do_without_single_probes_and_analyses_alone() -> None:
    nodes = ("features/utah", "decoding/main", "subjects", "recordings")
    assert [is_probe_or_analysis(node) for node in nodes] == [True, True, False, False]
