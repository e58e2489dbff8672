"""`evenkeel report` of a saved run."""

from cli._terminal import invoke


def test_report_is_written_again(runs, tmp_path):
    result = invoke("report", runs / "single-label", "--out", tmp_path / "page.html")
    assert result.exit_code == 0 and (tmp_path / "page.html").read_text().startswith("<!DOCTYPE html>")
