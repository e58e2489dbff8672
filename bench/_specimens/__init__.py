"""The public examination of a training doctor: sick set-ups, their fixed twins, healthy controls, generated set-ups."""
