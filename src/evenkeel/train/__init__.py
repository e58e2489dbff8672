"""Training: the step, the loop around it, optimizers, evaluation and the baselines beside it."""
