"""Other public tools that look on at a training, attached as their documentation says."""
