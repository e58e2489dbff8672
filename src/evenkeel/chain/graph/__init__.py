"""The autograd graph of a pass, cut into links: places, cut points, parallel paths, names."""
