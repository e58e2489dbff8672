from evenkeel import page as report


def test_every_listed_name_is_there():
    assert all(hasattr(report, name) for name in report.__all__)
    assert {"Report", "render"} <= set(report.__all__)
