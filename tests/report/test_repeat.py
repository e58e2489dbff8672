import numpy as np

from _small import small_run
from evenkeel.report.repeat import repeat
from evenkeel.run.fit import fit
from report._runs import changed


def test_the_command_and_the_engine_stand_beside_the_call():
    run = small_run("regression")
    told = {snippet.title: snippet.code for snippet in repeat(run.record)}
    assert told["Computed by"] == run.record.engine and "ek.load" in told["Use it"]
    assert ("Train it again" in told) == bool(run.record.command)


def test_how_a_run_is_used_depends_on_what_it_is_for():
    def call(run):
        return next(snippet.code.splitlines()[-1] for snippet in repeat(run.record) if snippet.title == "Use it")

    images = np.random.default_rng(0).integers(0, 255, (30, 8, 8)).astype(np.uint8)
    options = {"kind": "image", "progress": False, "settings": {"updates": 2, "width": 8}}
    assert call(fit(images, task="generation", **options)).startswith("run.draw(4)")
    assert call(fit((images, np.arange(30) % 3), task="embedding", **options)).startswith("run.embed(new)")
    text = fit("to be or not to be, that is the question. " * 60, kind="text", progress=False, settings={"updates": 2})
    assert call(text).startswith("run.generate(")


def test_how_to_repeat_it():
    run = changed(small_run("regression"), command="evenkeel train t.csv --target height")
    snippets = repeat(run.record)
    assert snippets[0].code == "evenkeel train t.csv --target height" and run.record.engine in snippets[-1].code
