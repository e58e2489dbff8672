"""One small set-up of every kind of data and every way a batch of it looks, by name: what `ek.fit` is called with."""

import numpy as np
import polars as pl

from _graph_sets import as_data, communities, some_rings
from _texts import LINES, films, pairs

RANDOM = np.random.default_rng(0)
LABEL = np.arange(60) % 2
IMAGES = (RANDOM.uniform(0, 90, (60, 8, 8)) + 150 * (LABEL[:, None, None] * np.eye(8))).astype(np.uint8)
WAVES = [RANDOM.normal(size=(5 + row % 8, 2)).astype(np.float32) + LABEL[row] for row in range(60)]
STEPS = [(wave[:, 0] > 0.5).astype(int) for wave in WAVES]
RINGS = some_rings(60)
GRAPHS = ([(np.stack([tags, np.ones(len(tags))], 1), edges) for tags, edges, _ in RINGS], [ring for *_, ring in RINGS])
LOAD = pl.DataFrame({"hour": np.arange(300), "load": np.sin(np.arange(300) / 4) + 5, "heat": np.arange(300) % 7.0})
LEFT = RANDOM.normal(size=(60, 4)).astype(np.float32)
SMALL = {"updates": 12, "width": 8, "depth": 1, "evaluations": 4, "batch_size": 8, "dropout": 0.1}
WIDER = {**SMALL, "width": 32}
EVERY = {
    "image": ((IMAGES, LABEL), {}),
    "image-transformer": ((IMAGES, LABEL), {"net": "transformer", "settings": WIDER}),
    "image-code": (IMAGES, {"kind": "image", "task": "generation"}),
    "sequence": ((WAVES, LABEL), {}),
    "sequence-steps": ((WAVES, STEPS), {"net": "rnn"}),
    "series": (LOAD, {"kind": "series", "settings": {**SMALL, "horizon": 4, "window": 12, "time": "hour"}}),
    "text": (films(60), {"settings": {**SMALL, "members": 2}}),
    "text-transformer": (films(60), {"net": "transformer", "settings": WIDER}),
    "text-pairs": (pairs(60), {"kind": "text", "target": "score", "settings": {**SMALL, "text": "one,two"}}),
    "text-stream": (LINES, {"kind": "text", "settings": {**WIDER, "window": 16}}),
    "graph": (GRAPHS, {}),
    "graph-nodes": (as_data(communities()), {}),
    "pair": ((LEFT, LEFT[:, :3] ** 2), {"kind": "pair"}),
    "pair-text": ((films(60)[0], pairs(60)["one"].to_list()), {"kind": "pair"}),
}
