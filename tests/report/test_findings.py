"""What the training showed."""

from _small import small_run
from evenkeel.finding import Finding
from evenkeel.report.findings import findings
from report._runs import changed


def test_findings_are_listed_as_they_are():
    found = Finding(symptom="no-learning", where="loss", sentence="The loss stands still.", severity="warning")
    (shown,) = findings(changed(small_run("regression"), findings=(found,)).record)
    assert (shown.symptom, shown.where, shown.severity, shown.cause) == ("no-learning", "loss", "warning", "")
    assert shown.sentence == "The loss stands still."
