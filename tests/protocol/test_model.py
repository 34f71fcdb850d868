"""Protocol -> resolved -> text -> protocol is the identity."""

from __future__ import annotations

import io
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from virtuallab.protocol import expand, read_text

number = st.floats(1e-6, 0.9, allow_subnormal=False)
bounds = st.tuples(number, number).filter(lambda pair: pair[0] < pair[1]).map(list)
values = st.lists(number, min_size=1, max_size=3, unique=True)
swept = st.one_of(
    number,
    values,
    st.fixed_dictionaries({"grid": values}),
    st.fixed_dictionaries({"choice": values}),
    st.fixed_dictionaries({"uniform": bounds}),
    st.fixed_dictionaries({"log_uniform": bounds}),
)
sgd = st.fixed_dictionaries(
    {"name": st.just("sgd")},
    optional={"learning_rate": swept, "momentum": swept, "nesterov": st.booleans()},
)
optimizer = st.one_of(
    st.sampled_from(["sgd", "adam"]),
    sgd,
    st.fixed_dictionaries({"name": st.just("adam")}, optional={"learning_rate": swept}),
)
rule = st.one_of(
    st.just("feedback_alignment"),
    st.fixed_dictionaries(
        {"name": st.just("information_alignment")},
        optional={"amp": swept, "null": swept, "positions": st.sampled_from(["sum", "mean"])},
    ),
)
probe = st.fixed_dictionaries(
    {},
    optional={
        "units": st.one_of(st.just("all"), st.integers(1, 99)),
        "visits": st.one_of(st.just("all"), st.integers(1, 5), st.just([0, 2])),
        "layers": st.one_of(st.none(), st.just(["conv1"])),
        "noise": st.fixed_dictionaries({}, optional={"snr": number}),
        "keep": st.sampled_from(["recording", "statistics"]),
    },
)
documents = st.fixed_dictionaries(
    {
        "schema_version": st.just(1),
        "name": st.from_regex(r"[a-z][a-z0-9_-]{0,9}", fullmatch=True),
        "seed": st.integers(0, 2**63 - 1),
        "question": st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=20),
        "subjects": st.fixed_dictionaries(
            {
                "architectures": st.just(
                    ["knet4", {"name": "mlp", "hidden": {"grid": [[4], [8]]}}]
                ),
                "tasks": st.just(["digits"]),
                "rules": st.lists(rule, min_size=1, max_size=2, unique_by=str),
                "optimizer": optimizer,
                "replicates": st.integers(1, 3),
                "steps": st.integers(20, 50),
                "visits": st.one_of(st.integers(2, 21), st.just([0, 3, 9])),
            },
            optional={
                "batch_size": st.one_of(st.integers(1, 99), st.just([8, 16])),
                "precision": st.sampled_from(["single", "mixed"]),
                "loss": st.sampled_from(["squared_error", ["cross_entropy", "squared_error"]]),
            },
        ),
        "probes": st.dictionaries(st.sampled_from(["a", "b-1"]), probe, max_size=2),
    },
    optional={"search": st.sampled_from([{}, {"trials": 3, "objective": "train_loss"}])},
)


def _labelled(document: dict[str, Any]) -> dict[str, Any]:
    """Give each rule a label of its own."""
    rules = document["subjects"]["rules"]
    document["subjects"]["rules"] = [
        {"label": f"rule-{index}", **({"name": rule} if isinstance(rule, str) else rule)}
        for index, rule in enumerate(rules)
    ]
    return document


@settings(max_examples=40, deadline=None)
@given(documents.map(_labelled))
def test_a_resolved_protocol_reads_back_as_itself(document: dict[str, Any]) -> None:
    made = read_text(json.dumps(document))
    resolved = made.resolved()
    yaml = io.StringIO()
    YAML(typ="safe", pure=True).dump(resolved, yaml)
    for text in (json.dumps(resolved), yaml.getvalue()):
        again = read_text(text)
        assert again.resolved() == resolved
        assert expand(again) == expand(made)
        assert again.probes == made.probes
