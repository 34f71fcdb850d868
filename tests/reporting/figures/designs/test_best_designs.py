from __future__ import annotations

from virtuallab.reporting.figures.designs.best_designs import best_designs_figure


def test_the_best_of_each_name_is_drawn_with_its_corrected_interval(comparison):
    grid = comparison.isel(design=comparison["design_name"].values == "grid", classifier=0)
    best = int(grid["balanced_accuracy"].max("observable").argmax("design"))
    ends = [
        path.vertices[:, 0]
        for lines in best_designs_figure(comparison).panels[0].figure.axes[0].collections
        for path in lines.get_paths()
    ]
    value = float(grid["balanced_accuracy"][best].max())
    plain = grid["interval"][best, int(grid["balanced_accuracy"][best].values.argmax())].values
    drawn = min(ends, key=lambda span: abs(span.mean() - value))
    assert drawn[0] < plain[0] - 0.01
    assert drawn[1] > plain[1]
