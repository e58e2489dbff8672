"""Small graphs side by side, with edges one way and both, a lone node and an edge to itself."""

import torch

CHANNELS = 5
SIZES = (5, 1, 7, 3)


def some_graphs():
    """Nodes, edges and graph of four graphs with 16 nodes."""
    starts = torch.tensor([0, *SIZES]).cumsum(0)
    edges = [torch.randint(size, (2, 3 * size)) + start for size, start in zip(SIZES, starts, strict=False)]
    graph = torch.arange(len(SIZES)).repeat_interleave(torch.tensor(SIZES))
    edges[1] = torch.empty(2, 0, dtype=torch.int64)
    joined = torch.cat(edges, dim=1)
    assert (joined[0] == joined[1]).any()
    return torch.randn(sum(SIZES), CHANNELS), joined, graph


def alone(nodes, edges, graph, number):
    """One of the graphs by itself."""
    mine = (graph == number).nonzero().flatten()
    start = int(mine[0])
    kept = edges[:, (graph[edges[0]] == number)]
    return nodes[mine], kept - start


def awake(net):
    """As after training: no bias and no query is zero by the luck of the start, and averages have moved."""
    for parameter in net.parameters():
        if parameter.dim() == 1:
            torch.nn.init.normal_(parameter, mean=0.5, std=0.5)
    for name, buffer in net.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_()
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 2.0)
    return net.eval()
