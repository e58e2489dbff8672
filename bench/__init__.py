"""Measurements beside their peers, side by side in one run; results are committed with machine and date."""
