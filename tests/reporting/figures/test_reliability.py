import numpy as np
import pytest

from virtuallab.reporting.figures import reliability


def drawn(count=(40, 10)):
    return reliability.draw((0.5, 0.9), (0.4, 0.95), count).axes[0]


def test_a_dot_lies_where_it_was_stated_and_observed():
    dots = drawn().collections[-1]
    np.testing.assert_allclose(dots.get_offsets(), [[0.5, 0.4], [0.9, 0.95]])


def test_the_area_of_a_dot_is_its_number_of_subjects():
    first, second = drawn().collections[-1].get_sizes()
    assert first == pytest.approx(4 * second)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        ((40, 10), ["10 subjects", "40 subjects"]),
        ((11, 10), ["10 to 11 subjects"]),
        ((8, 8), ["8 subjects"]),
    ],
)
def test_the_legend_names_areas_that_can_be_told_apart(count, said):
    assert [text.get_text() for text in drawn(count).get_legend().get_texts()] == said


def test_the_dots_of_the_legend_are_as_large_as_those_they_name():
    axes = drawn()
    areas = [handle.get_markersize() ** 2 for handle in axes.get_legend().legend_handles]
    assert sorted(axes.collections[-1].get_sizes()) == pytest.approx(areas)


def test_the_diagonal_is_drawn():
    assert any(list(line.get_xydata().ravel()) == [0, 0, 1, 1] for line in drawn().lines)
