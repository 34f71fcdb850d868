import numpy as np
import pytest
import xarray as xr

from tests.reporting.synthetic import LAYERS, RULES, experiment
from virtuallab.reporting.figures.gradient_alignment import (
    MOST_LAYERS,
    WHOLE,
    angles_figure,
    sizes_figure,
)
from virtuallab.reporting.style import looks
from virtuallab.vocabulary import DONE


def titles(panel):
    return [axes.get_title() for axes in panel.figure.axes if axes.get_title()]


def legend(panel):
    return [text.get_text().replace(" ", "_") for text in panel.figure.legends[0].get_texts()]


def rows(panel):
    return [axes.get_ylabel() for axes in panel.figure.axes if axes.get_ylabel()]


def changed(tree, **variables):
    truth = tree["truth"].to_dataset()
    return xr.DataTree.from_dict(
        {"/": tree.to_dataset(), "/subjects": tree["subjects"].to_dataset()}
        | {"/truth": truth.assign({k: (truth[k].dims, v) for k, v in variables.items()})}
    )


def test_measures_that_the_same_rules_have_share_a_panel(tree):
    figure = angles_figure(tree, looks(RULES))
    assert figure.full_width
    of_all, of_feedback = figure.panels[:2]
    assert legend(of_all) == [
        "Adam",
        "feedback_alignment",
        "information_alignment",
        "SGD,_momentum",
    ]
    assert legend(of_feedback) == ["feedback_alignment", "information_alignment"]
    assert rows(of_all) == ["gradient (°)"]
    assert rows(of_feedback) == ["local gradient (°)", "projection (°)", "weights (°)"]


def test_the_gradient_is_also_shown_over_all_parameters(tree):
    of_all, of_feedback = angles_figure(tree, looks(RULES)).panels[:2]
    assert titles(of_all) == [*LAYERS, WHOLE]
    assert titles(of_feedback) == [*LAYERS]


def test_sizes_and_signs_have_a_figure_of_their_own(tree):
    of_all, of_feedback = sizes_figure(tree, looks(RULES)).panels[:2]
    assert rows(of_all) == ["gradient norm"]
    assert rows(of_feedback) == ["weight norm", "sign agreement"]


def test_each_architecture_has_its_panels_and_its_own_layers(tree):
    angles = {
        n: v.to_numpy().copy() for n, v in tree["truth"].data_vars.items() if "layer" in v.dims
    }
    mine = tree["subjects/architecture"].to_numpy() == "mlp"
    for values in angles.values():
        values[mine, :, 0] = np.nan
    figure = angles_figure(changed(tree, **angles), looks(RULES))
    assert [panel.alt.split(", ")[1] for panel in figure.panels] == ["knet4"] * 2 + ["mlp"] * 2
    assert titles(figure.panels[2]) == [*LAYERS[1:], WHOLE]


def test_layers_lie_from_input_to_output_whatever_their_order_in_the_table(tree):
    truth = tree["truth"].to_dataset()
    depth = np.tile([0.5, 1.0, 0.0], (truth.sizes["subject"], 1))
    nodes = {
        "/subjects": tree["subjects"].to_dataset(),
        "/truth": truth.assign_coords(layer_depth=(("subject", "layer"), depth)),
    }
    figure = angles_figure(xr.DataTree.from_dict(nodes), looks(RULES))
    assert titles(figure.panels[0]) == [LAYERS[2], LAYERS[0], LAYERS[1], WHOLE]


def test_the_caption_says_who_is_left_out_and_the_alternative_text_gives_numbers(tree):
    figure = angles_figure(tree, looks(RULES))
    status = tree["subjects/status"].to_numpy()
    assert f"{(status == DONE).sum()} subjects" in figure.caption
    assert f"{(status != DONE).sum()} subjects that diverged" in figure.caption
    assert "Adam 0, 0, 0, 0" in figure.panels[0].alt
    assert "feedback alignment none, " in figure.panels[1].alt


def test_a_diverged_subject_changes_nothing(tree):
    gone = tree["subjects/status"].to_numpy() != DONE
    angle = tree["truth/gradient_angle"].to_numpy().copy()
    angle[gone] = 170.0
    assert angles_figure(changed(tree, gradient_angle=angle), looks(RULES)).panels[0].alt == (
        angles_figure(tree, looks(RULES)).panels[0].alt
    )


def test_of_a_deep_network_a_few_layers_are_shown_evenly(tree):
    deep = tree["truth"].to_dataset().isel(layer=[0, 1, 2] * 6)
    names = [f"conv{index}" for index in range(18)]
    nodes = {"/subjects": tree["subjects"].to_dataset(), "/truth": deep.assign_coords(layer=names)}
    figure = angles_figure(xr.DataTree.from_dict(nodes), looks(RULES))
    shown = titles(figure.panels[1])
    assert len(shown) == MOST_LAYERS
    assert (shown[0], shown[-1]) == ("conv0", "conv17")
    assert f"{MOST_LAYERS} layers are shown" in figure.caption


@pytest.mark.parametrize("make", [angles_figure, sizes_figure])
def test_without_the_truth_there_is_no_figure(make):
    assert make(experiment(decoded=False, recorded=False, pending=48), looks(RULES)) is None
    bare = experiment()
    names = [name for name in bare["truth"].data_vars if "loss" not in name]
    nodes = {
        "/subjects": bare["subjects"].to_dataset(),
        "/truth": bare["truth"].to_dataset().drop_vars(names),
    }
    assert make(xr.DataTree.from_dict(nodes), looks(RULES)) is None
    assert make(xr.DataTree.from_dict({"/subjects": nodes["/subjects"]}), looks(RULES)) is None
