from virtuallab.reporting.figures.designs.setting_maps import setting_maps


def test_two_numeric_settings_have_a_map_for_each_classifier_and_observable(comparison):
    assert [len(figure.panels) for figure in setting_maps(comparison)] == [2, 2]
