"""The report of a run: one page, from its record, its network, and what was kept of the test rows.

verdict · figures · data · plan · curves · predictions · importance · baselines · findings · pictures · chains · repeat
"""

from evenkeel.report.contents import contents as contents
from evenkeel.report.contents import render as render

__all__ = ["contents", "render"]
