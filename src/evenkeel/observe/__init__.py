"""Watching a training loop: hooks that tell its steps, looks at the chain within a budget, findings from both."""

from evenkeel.observe.watch import Watch, watch

__all__ = ["Watch", "watch"]
