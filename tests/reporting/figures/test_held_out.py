from virtuallab.reporting.figures import held_out
from virtuallab.reporting.results.estimate import Estimate

GROUPS = {
    "architecture": {"knet4": Estimate(0.5, 0.4, 0.6), "mlp": Estimate(0.3, 0.2, 0.4)},
    "learning_rate": {"low": Estimate(0.7, 0.6, 0.8)},
}


def drawn():
    return held_out.draw(GROUPS, known=0.8, chance=0.25).axes[0]


def test_groups_stand_below_the_name_of_what_was_held_out():
    ticks = drawn().get_yticklabels()
    assert [tick.get_text() for tick in ticks] == [
        *("architecture", "knet4", "mlp"),
        *("learning rate", "low"),
    ]
    assert [tick.get_fontweight() == "bold" for tick in ticks] == [True, False, False, True, False]


def test_a_bar_has_its_interval_on_its_row():
    axes = drawn()
    bars = [(bar.get_y() + bar.get_height() / 2, bar.get_width()) for bar in axes.patches]
    assert [(round(row, 6), width) for row, width in bars] == [(1, 0.5), (2, 0.3), (4, 0.7)]
    (intervals,) = axes.collections
    assert [segment.tolist() for segment in intervals.get_segments()] == [
        [[0.4, 1], [0.6, 1]],
        [[0.2, 2], [0.4, 2]],
        [[0.6, 4], [0.8, 4]],
    ]


def test_chance_and_what_training_on_every_kind_reaches_are_lines():
    axes = drawn()
    assert [line.get_xdata()[0] for line in axes.lines] == [0.8, 0.25]
    assert "chance 0.25" in [text.get_text() for text in axes.texts]


def test_a_group_without_an_interval_is_a_bar_alone():
    groups = {"task": {"digits": Estimate(0.5, float("nan"), float("nan"))}}
    axes = held_out.draw(groups, known=0.8, chance=0.25).axes[0]
    assert len(axes.patches) == 1
