"""A run of sequences, of texts or of one long text that was broken off goes on to the same weights, bit by bit."""

import pytest

import evenkeel as ek
from _interrupt import interrupt_at
from _small import same
from _texts import LINES, films
from evenkeel.run.run import CHECKPOINT
from kinds._sequences import stepwise, waves

SMALL = {"updates": 12, "evaluations": 3, "patience": 99.0, "width": 16, "batch_size": 8}
CASES = {
    "sequences": (waves(equal=False), {"test": 0, "net": "cnn", "settings": {**SMALL, "members": 2}}),
    "steps": (stepwise(), {"test": 0, "net": "rnn", "settings": {**SMALL, "depth": 1, "dropout": 0.1}}),
    "texts": (films(), {"settings": {**SMALL, "members": 2, "vocabulary": 300, "dropout": 0.1}}),
    "tokens": (films(), {"test": 0, "net": "rnn", "settings": {**SMALL, "depth": 1, "longest": 12}}),
    "stream": (LINES, {"kind": "text", "settings": {**SMALL, "width": 32, "depth": 1, "window": 16}}),
}


@pytest.mark.parametrize("update", [1, 6])
@pytest.mark.parametrize("name", CASES)
def test_an_interrupted_fit_goes_on_bit_by_bit(name, update, tmp_path, monkeypatch):
    data, options = CASES[name]

    def fit(**more):
        return ek.fit(data, progress=False, **options, **more)

    whole = fit()
    with monkeypatch.context() as patch:
        interrupt_at(patch, update)
        first = fit(out=tmp_path / "run")
    assert first.record.ended == "SIGINT" and (tmp_path / "run" / CHECKPOINT).is_dir()
    assert first.history[-1].update == update
    again = fit(out=tmp_path / "run")
    assert again.record.ended == whole.record.ended == "budget" and again.history[-1].update == 12
    assert same(again.network.state_dict(), whole.network.state_dict())
    assert again.metrics == whole.metrics
    assert again.history[-1].validation_loss == whole.history[-1].validation_loss
