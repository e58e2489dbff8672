"""Short programs on real data, each to be read from top to bottom; `README.md` lists them."""
