"""The section on predictions against the truth, whichever kind of prediction it is."""

from evenkeel.report._classes import classes_section
from evenkeel.report._html import Markup
from evenkeel.report._labels import labels_section
from evenkeel.report._regression import regression_section
from evenkeel.report.predictions import ClassesSection, LabelsSection, RegressionSection


def predictions_section(predictions: RegressionSection | ClassesSection | LabelsSection | None) -> Markup | None:
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
