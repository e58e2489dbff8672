"""What a person should know first."""

from _small import small_run
from evenkeel.report.verdict import measured, verdict
from evenkeel.run.fit import fit
from report._runs import changed


def said(run):
    return [sentence.text for sentence in verdict(run.record)]


def test_the_verdict_says_what_a_person_should_know_first():
    run = small_run("probabilistic-regression")
    assert any(text.startswith("The 90 % intervals hold ") for text in said(run))
    assert "Training was interrupted; this is the best network so far." in said(changed(run, ended="SIGTERM"))
    lost = changed(run, verdict="A plain linear model does better on the test rows: rmse 1 against 2.")
    tones = {sentence.text: sentence.tone for sentence in verdict(lost.record)}
    assert tones[lost.record.verdict] == "note"
    last = run.history[-1]
    falling = changed(run, ended="budget", best_update=last.update)
    assert any("still falling at the end" in text for text in said(falling))
    leak = "Column 'x' alone predicts the target almost perfectly (100.0%): possible leakage."
    assert leak in said(changed(run, notes=(leak,)))


def test_without_plain_models_the_page_says_what_was_measured():
    text = fit("to be or not to be, that is the question. " * 60, kind="text", progress=False, settings={"updates": 2})
    said = measured(text.record)
    assert said.startswith(f"On {text.record.rows['test']} test rows that nothing has touched, perplexity is ")
