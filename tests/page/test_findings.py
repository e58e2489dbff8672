from evenkeel.page.findings import findings_section


def test_the_gravest_comes_first_with_all_that_is_known(make, said):
    words = said(findings_section(make["findings"]()))
    assert words.index("critical: dead-units") < words.index("note: overfitting")
    assert "where: block 1 · cause: learning-rate · evidence: 64 % zeros" in words


def test_nothing_found_is_said():
    assert "nothing was found" in findings_section([])
