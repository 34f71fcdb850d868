"""What the page on exploring shows is what happens."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest
import xarray as xr

import virtuallab as vl
from tests.accessor.recordings import recording as made_up

PAGE = Path(__file__).parents[2] / "docs" / "questions" / "explore_a_recording.md"


def test_the_page_on_exploring_works_as_it_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PAGE.read_text("utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL))
    assert code.count(".lab.") > 10
    named = made_up().assign_coords(visit=[0, 2, 10, 20], layer=["conv1", "conv2", "conv3"])
    owners = named["unit_layer"].to_numpy().tolist()
    named["unit_layer"] = "unit", ["conv3" if owner == "fc" else owner for owner in owners]
    named["learning_rate"][0] = 1e-4
    tree = xr.DataTree.from_dict({"recordings/units_200/knet4": named})
    monkeypatch.setattr(vl, "open", lambda path: tree)
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(hvplot|holoviews|panel|param|bokeh|pandas)\b")
        exec(compile(code, PAGE.name, "exec"), {})
    assert {path.name for path in tmp_path.iterdir()} == set(re.findall(r'savefig\("(.*?)"', code))
