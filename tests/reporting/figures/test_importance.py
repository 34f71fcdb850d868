"""What carries the rule, drawn."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from virtuallab.reporting.figures.importance import importance_figure
from virtuallab.reporting.render import png

STATISTICS = tuple(f"act_{index:02d}_step" for index in range(20))
DEPTHS = ("early", "middle", "deep", "middle - early", "deep - middle")


def words(values: object) -> np.ndarray:
    return np.array(list(values), dtype=object)  # type: ignore[call-overload]


@pytest.fixture
def found() -> xr.Dataset:
    """Statistic 7 matters most, the first stage and the middle depth."""
    groups = {
        **dict.fromkeys(STATISTICS, ("statistic", "activity")),
        "responses: steps": ("family", "activity"),
        "weights: steps": ("family", "weights"),
        "visit 1": ("stage", "all"),
        "visits 2 to 3": ("stage", "all"),
        **dict.fromkeys(DEPTHS, ("depth", "all")),
    }
    lost = np.linspace(0.05, -0.01, len(groups))
    lost[7], lost[20] = 0.3, 0.4
    gini = np.ones((20, 2, 5))
    gini[7, 0, 1] = 50
    return xr.Dataset(
        {
            "relevance": ("group", lost),
            "relevance_interval": (("group", "bound"), lost[:, None] + [-0.03, 0.03]),
            "gini": (("change_name", "stage", "depth"), gini / gini.sum()),
        },
        coords={
            "group": words(groups),
            "group_kind": ("group", words(kind for kind, _ in groups.values())),
            "group_observable": ("group", words(of for _, of in groups.values())),
            "bound": words(("low", "high")),
            "change_name": words(STATISTICS),
            "stage": [0, 1],
            "first_visit": ("stage", [1, 2]),
            "last_visit": ("stage", [1, 3]),
            "depth": words(DEPTHS),
        },
        attrs={"balanced_accuracy": 0.8, "chance": 0.25, "confidence": 0.9},
    )


def rows(axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def test_what_matters_most_stands_on_top_and_the_rest_is_cut(found):
    ranked, maps, _ = (panel.figure for panel in importance_figure(found, title="all").panels)
    families, statistics = ranked.axes
    assert rows(families) == ["responses: steps", "weights: steps"]
    assert rows(statistics)[0] == rows(maps.axes[0])[0] == "act 07 step"
    assert len(rows(statistics)) == len(rows(maps.axes[0])) == 15


def test_each_depth_has_its_map_on_one_scale(found):
    maps = importance_figure(found, title="all").panels[1].figure
    every = [axes for axes in maps.axes if axes.collections and axes.get_title()]
    assert len(every) == len(DEPTHS)
    assert len({axes.collections[0].get_clim() for axes in every}) == 1


def test_stages_and_depths_keep_their_order(found):
    where = importance_figure(found, title="all").panels[2].figure
    assert [rows(axes) for axes in where.axes] == [["visit 1", "visits 2 to 3"], list(DEPTHS)]


def test_observables_are_drawn_where_there_are_several(found):
    extra = found[["relevance", "relevance_interval"]].isel(group=[0, 1])
    extra = extra.assign_coords(
        group=words(("weights", "activity")),
        group_kind=("group", words(["observable"] * 2)),
        group_observable=("group", words(("weights", "activity"))),
    )
    both = xr.concat([found[["relevance", "relevance_interval"]], extra], dim="group")
    figure = importance_figure(both.merge(found[["gini"]]).assign_attrs(found.attrs), title="all")
    where = figure.panels[2].figure
    assert rows(where.axes[2]) == ["weights", "activity"]
    assert [text.get_text() for text in where.legends[0].get_texts()] == [
        "weights",
        "activity",
        "all observables",
    ]


def test_the_words_say_what_the_panels_show(found):
    figure = importance_figure(found, title="all_units: activity")
    assert "90 % intervals" in figure.caption
    assert "0.80, chance is 0.25" in figure.caption
    what, maps, where = (panel.alt for panel in figure.panels)
    assert "responses: steps 0.40" in what
    assert "act 07 step 0.30" in what
    assert "act 07 step, middle, from visit 1: 40.2 times the mean" in maps
    assert "early" in where


def test_an_observable_that_was_not_measured_has_no_share(found):
    """Shares are of what was there to choose from."""
    unseen = found.isel(change_name=[0]).assign_coords(change_name=words(["weight_step"]))
    unseen["gini"] = unseen["gini"] * 0
    wider = xr.concat([found[["gini"]], unseen[["gini"]]], dim="change_name")
    whole = wider.merge(found.drop_vars(["gini", "change_name"])).assign_attrs(found.attrs)
    assert "40.2 times the mean" in importance_figure(whole, title="all").panels[1].alt


def test_the_same_numbers_are_the_same_bytes(found):
    one, other = (
        [png(panel.figure) for panel in importance_figure(found, title="all").panels]
        for _ in range(2)
    )
    assert one == other
