"""A Python number, whole or not: `gamma=0` is as good as `gamma=0.0`, at run time too."""

PlainNumber = int | float
