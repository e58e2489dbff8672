"""What `bench/unchanged.py` looks at: runs of every kind, checkups, watched loops, chains, parts, and the terminal."""
