"""The doctor: examine a training set-up on copies, and say what is wrong."""

from evenkeel.doctor.checkup import checkup as checkup
from evenkeel.doctor.result import Checkup as Checkup

__all__ = ["Checkup", "checkup"]
