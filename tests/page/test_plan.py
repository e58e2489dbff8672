import dataclasses

from evenkeel.page import ShownLayer, ShownSetting
from evenkeel.page.plan import plan_section


def test_layers_settings_and_reasons_are_told(make, said):
    words = said(plan_section(make["plan_section"]()))
    assert "1,234" in words and "AdamW" in words and "robust" in words and "Why" in words


def test_settings_without_any_reason_need_no_column_for_it(make):
    plan = dataclasses.replace(make["plan_section"](), settings=[ShownSetting(name="optimizer", value="AdamW")])
    assert "Why" not in plan_section(plan)


def test_many_layers_fold_and_none_leave_no_table(make):
    layers = [ShownLayer(name=f"layer {index}", shape="64", parameters=0) for index in range(40)]
    plan = make["plan_section"]()
    assert "30 more layers" in plan_section(dataclasses.replace(plan, layers=layers))
    assert "<table" not in plan_section(dataclasses.replace(plan, layers=[], settings=[]))
