from evenkeel.page.labels import MOST_BARS, labels_section


def test_undefined_scores_are_dashes(make, said):
    words = said(labels_section(make["labels_section"]()))
    assert "never0.0 %––––" in words.replace("\u202f", " ")


def test_many_labels_show_the_best_and_the_worst(make):
    drawn = labels_section(make["labels_section"](60))
    chart = drawn.split("</svg>")[0]
    assert chart.count("<rect") == MOST_BARS - 1  # `never` is among the worst and has no bar
    assert "label 0<" in chart and "label 59<" in chart and "label 30<" not in chart
