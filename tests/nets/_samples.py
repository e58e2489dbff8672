"""A small net of every part for each kind of data that it reads, with inputs of variance 1."""

import inspect

import torch
from torch import nn

from evenkeel.nets import PARTS

CHANNELS, VOCABULARY, EXAMPLES = 3, 50, 32
# Eight steps and images of 8 x 8: a mean over n positions gives each of them an n-th of the gradient, whatever the net.
STEPS = 8
NODES = 4  # of each graph, as few for the same reason
READ = [(name, kind) for name, part in PARTS.items() for kind in part.reads]
WITH_LENGTHS = [(name, kind) for name, kind in READ if kind in ("sequence", "text")]
FEATURES = 64  # of every net, so that all are alike in size


class RingsOfNodes(nn.Module):
    """A net over graphs as one over examples: the nodes of each stand in a ring with one chord.

    Shapes: (batch, node, channel) -> (batch, unit).
    """

    def __init__(self, net):
        super().__init__()
        self.net, self.features = net, net.features

    def forward(self, values):
        batch, nodes, _ = values.shape
        one = torch.tensor([[*range(nodes), 0, 2], [*range(1, nodes), 0, 2, 0]])
        edges = torch.cat((one, one.flip(0)[:, :nodes]), dim=1)
        starts = nodes * torch.arange(batch)
        edges = (edges[:, None] + starts[None, :, None]).flatten(1)
        graph = torch.arange(batch).repeat_interleave(nodes)
        return self.net(values.flatten(0, 1), edges, graph, graphs=batch)


def inputs(kind, examples=EXAMPLES, *, pixels=8, steps=STEPS, nodes=NODES):
    """Inputs of a kind of data; whoever adds a net that reads another kind adds its inputs here."""
    return {
        "table": lambda: torch.randn(examples, CHANNELS),
        "image": lambda: torch.randn(examples, CHANNELS, pixels, pixels),
        "sequence": lambda: torch.randn(examples, steps, CHANNELS),
        "text": lambda: torch.randint(VOCABULARY, (examples, steps)),
        "graph": lambda: torch.randn(examples, nodes, CHANNELS),
    }[kind]()


def build(name, kind, **options):
    """The net `name` for a kind of data, as its own signature asks to be told of it."""
    call = PARTS[name].call
    taken = inspect.signature(call).parameters
    told = {
        "image": {"patch": 4, "dimensions": 2},
        "sequence": {"dimensions": 1},
        "graph": {"pooling": options.pop("pooling", "mean")},
    }.get(kind, {})
    told = {key: value for key, value in told.items() if key in taken}
    first = {"vocabulary": VOCABULARY} if kind == "text" else {next(iter(taken)): CHANNELS}
    net = call(**first, **told, **{"width": _width(call, first | told), "depth": 2, **options})
    return RingsOfNodes(net) if kind == "graph" else net


def _width(call, told):
    """The width that gives `FEATURES` features: that of a net whose stages widen is of the first of them."""
    with torch.random.fork_rng(devices=[]):
        return FEATURES**2 // call(**told, width=FEATURES, depth=2).features


def in_pieces(net):
    """Whether the compiler goes around some layers: torch's fused recurrent ones are no part of its graph."""
    return any(isinstance(module, nn.RNNBase) for module in net.modules())


def links_of(net, values):
    """The chain of a net alone: its features are to become random ones."""
    from evenkeel import trace  # after the shape checks are installed

    with torch.no_grad():
        target = torch.randn_like(net(values))
    return trace(net, lambda features, target: (features - target).square().mean(), (values, target)).links


def spread(links):
    """Least and greatest backward rms relative to the last link's, and the greatest similarity."""
    backward = [link.backward_rms / links[-1].backward_rms for link in links]
    return min(backward), max(backward), max(link.similarity for link in links if link.similarity is not None)
