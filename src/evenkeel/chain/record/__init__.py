"""One pass written down: operations and values forward, norms of gradients backward, and what is put back after."""
