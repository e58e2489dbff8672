"""The section on predictions against the truth, whichever kind of prediction it is."""

from evenkeel.page.classes import classes_section
from evenkeel.page.comparisons import ClassesSection, Comparison, LabelsSection, RegressionSection
from evenkeel.page.html import Markup
from evenkeel.page.labels import labels_section
from evenkeel.page.regression import regression_section


def predictions_section(predictions: Comparison | None) -> Markup | None:
    """Numbers, classes or labels; `None` where there is nothing to show."""
    match predictions:
        case RegressionSection():
            return regression_section(predictions)
        case ClassesSection():
            return classes_section(predictions)
        case LabelsSection():
            return labels_section(predictions)
        case None:
            return None
