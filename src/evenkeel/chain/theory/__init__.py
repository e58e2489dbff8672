"""What theory expects of a link: its gain for these weights, and at its best initialisation."""
