"""The section on the network and the recipe it was trained by."""

from evenkeel.page.html import Heading, Markup, beside, facts, join, table, tag
from evenkeel.page.sections import PlanSection
from evenkeel.svg import number


def plan_section(plan: PlanSection) -> Markup:
    """Draw the network layer by layer, and every setting with its reason."""
    composed = facts(
        [
            ("Task", plan.task),
            ("Net", plan.net),
            ("Head", plan.head),
            ("Loss", plan.loss),
            ("Parameters", number(plan.parameters)),
        ]
    )
    return join(beside(composed, _layers(plan)), _settings(plan))


def _settings(plan: PlanSection) -> Markup:
    if not plan.settings:
        return Markup("")
    headings = [Heading(text="Setting"), Heading(text="Value"), Heading(text="Why")]
    rows = [[setting.name, setting.value, setting.reason] for setting in plan.settings]
    if not any(setting.reason for setting in plan.settings):
        headings, rows = headings[:2], [row[:2] for row in rows]
    return join(tag("h3", "Settings"), table(headings, rows, rest="settings"))


def _layers(plan: PlanSection) -> Markup:
    if not plan.layers:
        return Markup("")
    headings = [Heading(text="Layer"), Heading(text="Output shape"), Heading(text="Parameters", kind="number")]
    rows = [[layer.name, layer.shape, number(layer.parameters)] for layer in plan.layers]
    return tag("div", table(headings, rows, rest="layers"))
