"""What the report of a run holds, section by section, and the page that is drawn of it."""

from __future__ import annotations

from collections.abc import Mapping

from evenkeel import page
from evenkeel.network import Network
from evenkeel.record import RunRecord
from evenkeel.report.baselines import baselines
from evenkeel.report.chains import chains
from evenkeel.report.curves import curves
from evenkeel.report.data import data
from evenkeel.report.figures import figures
from evenkeel.report.findings import findings
from evenkeel.report.importance import importance
from evenkeel.report.pictures import pictures
from evenkeel.report.plan import plan
from evenkeel.report.predictions import predictions
from evenkeel.report.repeat import repeat
from evenkeel.report.verdict import verdict
from evenkeel.shapes import Tensor


def render(record: RunRecord, network: Network, sample: Mapping[str, Tensor]) -> str:
    """The report as HTML.

    Args:
        record: everything besides weights.
        network: in evaluation mode.
        sample: `output` and `target` of some test rows, and what was kept of the examples; empty without test rows.
    """
    return page.render(contents(record, network, sample))


def contents(record: RunRecord, network: Network, sample: Mapping[str, Tensor]) -> page.Report:
    """The sections of the report, in the order of reading."""
    return page.Report(
        title=record.target.name,
        subtitle=f"{record.plan.task} from {record.source}",
        verdict=verdict(record),
        figures=figures(record),
        data=data(record, network, sample),
        plan=plan(record, network),
        curves=curves(record),
        predictions=predictions(record, network, sample),
        importance=importance(record),
        baselines=baselines(record),
        findings=findings(record),
        extra=[*pictures(record, network, sample), *chains(record)],
        repeat=repeat(record),
        created=record.created,
        version=f"evenkeel {record.version}",
    )
