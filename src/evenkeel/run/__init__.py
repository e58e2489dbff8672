"""From data to a trained network and back: `fit`, the run that it gives, and what is saved of it."""

from evenkeel.run.fit import fit as fit
from evenkeel.run.run import Run as Run
from evenkeel.run.run import load as load

__all__ = ["Run", "fit", "load"]
