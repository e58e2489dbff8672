import dataclasses

import numpy as np
import pytest

from _pictures import arrays
from evenkeel.kinds import PARTS as KINDS
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.image.recipe import image_recipe
from evenkeel.kinds.image.schema import ImageOptions
from evenkeel.plan import make_plan

IMAGE = KINDS["image"]


def prepare(data, **request):
    return IMAGE.prepare(data, DataRequest(options=ImageOptions(cache="none"), **request))


@pytest.mark.parametrize("net", ["cnn", "transformer"])
@pytest.mark.parametrize("task", ["single-label", "generation"])
def test_recipes_are_plans(net, task):
    images, names = arrays(4)
    prepared = prepare(images if task == "generation" else (images, names), task=task)
    recipe = image_recipe(net, prepared.dataset, prepared.choice)
    plan = make_plan(prepared.choice.task, rows=8, settings={"net": net}, recipe=recipe)
    assert plan.members is None and plan.evaluations == 60
    large = dataclasses.replace(
        prepared.dataset, split=dataclasses.replace(prepared.dataset.split, train=np.arange(51_000))
    )
    plan = make_plan(
        prepared.choice.task, rows=51_000, settings={"net": net}, recipe=image_recipe(net, large, prepared.choice)
    )
    assert plan.batch_size == 128 and plan.updates == round(51_000 / 128) * plan.evaluations
