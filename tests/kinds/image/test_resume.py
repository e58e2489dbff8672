"""Images: an interrupted training goes on to the same bits, one seed gives one network, and images are embedded."""

import numpy as np
import pytest

import evenkeel as ek
from _interrupt import interrupt_at
from _pictures import arrays
from _small import same
from evenkeel.run.run import CHECKPOINT

SMALL = {"width": 8, "depth": 1, "learning_rate": 1e-2, "updates": 20, "evaluations": 4, "patience": 9.0}


def fitted(task, **options):
    images, names = arrays(16)
    data = images if task == "generation" else (images, names)
    return ek.fit(data, kind="image", task=task, progress=False, settings=SMALL, **options)


@pytest.mark.parametrize("task", ["single-label", "generation"])
@pytest.mark.parametrize("update", [1, 8])
def test_an_interrupted_training_goes_on_to_the_same_bits(task, update, tmp_path, monkeypatch):
    whole = fitted(task)
    with monkeypatch.context() as patch:
        interrupt_at(patch, update)
        part = fitted(task, out=tmp_path / "run")
    assert part.record.ended == "SIGINT" and part.history[-1].update == update
    assert (tmp_path / "run" / CHECKPOINT).is_dir()
    again = fitted(task, out=tmp_path / "run")
    assert same(again.network.state_dict(), whole.network.state_dict())
    assert again.metrics == whole.metrics and again.record.ended == "budget"
    assert not same(part.network.state_dict(), whole.network.state_dict())


def test_one_seed_gives_one_network_that_makes_images():
    first, again, other = fitted("generation"), fitted("generation"), fitted("generation", seed=1)
    assert same(first.network.state_dict(), again.network.state_dict()) and first.metrics == again.metrics
    assert not same(first.network.state_dict(), other.network.state_dict())
    assert np.array_equal(first.draw(3), again.draw(3))


def test_images_are_embedded_by_their_labels(tmp_path):
    run = fitted("embedding")
    images, names = arrays(6)
    assert run.plan.task == "embedding" and run.part.name == "embedding" and run.metrics["recall_at_k"] > 0.5
    evaluated = run.evaluate((images, names))
    assert list(evaluated) == list(run.metrics) and evaluated["recall_at_k"] > 0.5
    points = run.embed(images)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, atol=1e-5)
    again = ek.load(run.save(tmp_path / "run"))
    assert np.array_equal(again.embed(images), points) and again.evaluate((images, names)) == evaluated
    assert "Map of the embeddings" in again.report_text()
