"""A run whose record is changed, as the sections of a report are tested with it."""

from evenkeel.report import contents
from evenkeel.run.run import Run


def changed(run, **update):
    """The same run with another record."""
    return Run(run.record.model_copy(update=update), run.network, run.sample)


def described(run):
    """What the report of a run holds."""
    return contents(run.record, run.network, run.sample)
