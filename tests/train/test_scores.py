import numpy as np
import pytest
import torch
from scipy import stats
from sklearn import metrics as sklearn_metrics

from _small import TARGETS, small_dataset, small_network
from evenkeel import metrics
from evenkeel.heads import PARTS
from evenkeel.heads.for_task import head_for
from evenkeel.train.evaluate import outputs
from evenkeel.train.scores import metric_of, metrics_of, scores


def scored(task, weight=None, **settings):
    data = small_dataset(task)
    network = small_network(task, data, **settings)
    output = outputs(network, data.inputs)
    return scores(head_for(task), network.head, output, data.target, weight), network, data, output


@pytest.mark.parametrize("task", TARGETS)
def test_everymetric_of_the_head_is_answered_in_its_order(task):
    found, *_ = scored(task)
    assert list(found) == list(head_for(task).metrics)
    assert all(np.isfinite(value) for value in found.values())


def test_every_metric_is_explained_in_the_report_and_no_other():
    named = {name for part in PARTS.values() for name in metrics_of(part)}
    explained = {record.name for record in metrics.PARTS.values() if record.explanation}
    variants = [each for record in metrics.PARTS.values() for each in record.reported.items()]
    explained |= {name for name, each in variants if each.explanation}
    assert explained <= named
    # Of the others the metric's own summary is told: those of partners come in many variants.
    assert {metric_of(name) for name in named - explained} == {"partner_recall", "partner_rank"}


def test_numbers_are_judged_in_their_own_units():
    found, network, data, output = scored("probabilistic-regression")
    truth, distribution = data.target.numpy(), network.head.distribution(output)
    assert found["rmse"] == pytest.approx(np.sqrt(np.mean((distribution.mean - truth) ** 2)), rel=1e-4)
    spread = distribution.parameters["spread"]
    density = stats.norm(distribution.parameters["mean"], spread).pdf(truth).mean(0)
    assert found["nll"] == pytest.approx(-np.log(density).mean(), rel=1e-6)
    low, high = distribution.interval(0.9)
    assert found["coverage_90"] == pytest.approx(np.mean((truth >= low) & (truth <= high)))
    assert found["width_90"] == pytest.approx(np.mean(high - low), rel=1e-6)


def test_crps_in_closed_form_agrees_with_draws():
    found, network, data, output = scored("probabilistic-regression")
    draws = network.head.distribution(output).sample(4000)
    truth = data.target.numpy()
    plain = np.abs(draws - truth).mean(0) - 0.5 * np.abs(draws - np.roll(draws, 1, axis=0)).mean(0)
    assert found["crps"] == pytest.approx(plain.mean(), rel=0.02)


def test_classes_agree_with_scikit_learn():
    found, network, data, output = scored("single-label", members=3)
    probability, truth = network.head.probability(output).double().numpy(), data.target.numpy()
    assert found["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(truth, probability.argmax(1)))
    probability /= probability.sum(1, keepdims=True)
    assert found["log_loss"] == pytest.approx(sklearn_metrics.log_loss(truth, probability), rel=1e-5)


def test_labels_agree_with_scikit_learn():
    found, network, data, output = scored("multi-label")
    said, truth = network.head.predict(output).numpy(), data.target.numpy()
    assert found["hamming"] == pytest.approx(sklearn_metrics.hamming_loss(truth, said))
    for average in ("micro", "macro"):
        expected = sklearn_metrics.f1_score(truth, said, average=average, zero_division=0)
        assert found[f"f1_{average}"] == pytest.approx(expected)


@pytest.mark.parametrize("task", TARGETS)
def test_weights_reach_the_metrics(task):
    weight = torch.cat([torch.full((120,), 3.0), torch.full((120,), 0.1)])
    first = head_for(task).metrics[0]
    assert scored(task, weight)[0][first] != scored(task)[0][first]
