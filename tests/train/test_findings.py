"""Findings from looks: each fires on its own sick history and is silent on a healthy one."""

from evenkeel.train.findings import findings_of
from evenkeel.train.loop import Look


def looks(losses, skipped=0):
    return [
        Look(
            update=10 * (index + 1),
            samples=320 * (index + 1),
            seconds=0.1,
            rate=1e-3,
            train_loss=1.0,
            gradient_norm=1.0,
            validation_loss=loss,
            skipped=skipped if index else 0,
        )
        for index, loss in enumerate(losses)
    ]


def symptoms(*arguments):
    return [finding.symptom for finding in findings_of(*arguments)]


def test_a_healthy_history_gives_nothing():
    assert symptoms(looks([0.8, 0.5, 0.4, 0.41]), 1.0) == []


def test_overfitting_is_a_note_that_names_the_update():
    (finding,) = findings_of(looks([0.8, 0.5, 0.7, 0.9]), 1.0)
    assert (finding.symptom, finding.severity) == ("overfitting", "note")
    assert "After update 20" in finding.sentence


def test_no_learning():
    (finding,) = findings_of(looks([1.0, 1.2, 1.1]), 1.0)
    assert (finding.symptom, finding.severity) == ("no-learning", "warning")


def test_non_finite_steps_are_counted():
    (finding,) = findings_of(looks([0.8, 0.5, 0.4], skipped=3), 1.0)
    assert finding.symptom == "non-finite"
    assert finding.evidence == {"skipped": 3.0, "updates": 30.0, "first_seen": 20.0}


def test_most_steps_non_finite_is_critical():
    (finding,) = findings_of(looks([0.8, 0.5], skipped=15), 1.0)
    assert finding.severity == "critical"


def test_nothing_held_out_says_nothing_about_learning():
    assert symptoms(looks([None, None]), None) == []
