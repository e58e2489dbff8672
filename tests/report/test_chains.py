"""The chain at the first step and late in training."""

from _small import small_run
from evenkeel.report.chains import chains
from report._runs import changed


def test_each_chain_has_its_figure_and_its_gain():
    run = small_run("regression")
    shown = chains(run.record)
    assert len(shown) == len(run.record.chains) and all(section.svg.startswith("<svg") for section in shown)
    titles = ["The chain at the first step", "The chain late in training"]
    assert [section.title for section in shown] == titles[: len(shown)]


def test_without_a_chain_there_is_no_section():
    assert chains(changed(small_run("regression"), chains=()).record) == []
