import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from evenkeel.page import ClassesSection
from evenkeel.page.classes import classes_section
from evenkeel.svg import percent


def test_scores_agree_with_scikit_learn(said):
    generator = np.random.default_rng(0)
    truth, prediction = generator.integers(0, 4, 200), generator.integers(0, 4, 200)
    confusion = np.zeros((4, 4), dtype=int)
    np.add.at(confusion, (truth, prediction), 1)
    drawn = classes_section(ClassesSection(names=list("abcd"), confusion=confusion))
    for name, *scores, support in zip("abcd", *precision_recall_fscore_support(truth, prediction), strict=True):
        cells = "".join(f'<td class="number">{percent(score, 1)}</td>' for score in scores)
        assert f'<td>{name}</td>{cells}<td class="number">{support}</td>' in drawn


def test_the_sentence_names_the_commonest_mistake(said):
    confusion = np.array([[8, 2, 0], [0, 9, 1], [0, 0, 5]])
    words = said(classes_section(ClassesSection(names=["a", "b", "c"], confusion=confusion)))
    assert "22 of 25 test rows are right" in words and "“a” is taken for “b” (2 times)" in words


def test_a_class_that_never_comes_has_dashes_and_no_mistake_needs_no_sentence(said):
    words = said(classes_section(ClassesSection(names=["a", "b"], confusion=np.array([[5, 0], [0, 0]]))))
    assert "b–––0" in words and "taken for “" not in words


def test_no_rows_at_all(said):
    assert "0 of 0 test rows" in said(classes_section(ClassesSection(names=[], confusion=np.zeros((0, 0), dtype=int))))


def test_many_classes_list_the_mistakes_and_the_worst_classes_first(said):
    confusion = 9 * np.eye(40, dtype=int)
    confusion[7] = 0
    confusion[7, 8] = 9
    drawn = classes_section(ClassesSection(names=[f"class {index}" for index in range(40)], confusion=confusion))
    assert "Most frequent mistakes" in drawn and "30 more classes" in drawn
    assert drawn.split("Class by class")[1].index("class 7<") < drawn.split("Class by class")[1].index("class 0<")
