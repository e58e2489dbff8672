"""More architectures of everyday life: transformers, graph networks, and models with more than one path or output."""

from types import SimpleNamespace

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

cross_entropy, mse = F.cross_entropy, F.mse_loss


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 16)
        self.position = nn.Parameter(0.02 * torch.randn(1, 7, 16))
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        return self.head(self.encoder(self.embed(x) + self.position).mean(dim=1))


class Decoder(nn.Module):
    """Causal self-attention written by hand, tied input and output embeddings."""

    def __init__(self, width=16, heads=2, layers=2):
        super().__init__()
        self.heads = heads
        self.embed = nn.Embedding(20, width)
        self.blocks = nn.ModuleList(
            nn.ModuleDict(
                {
                    "norm1": nn.LayerNorm(width),
                    "qkv": nn.Linear(width, 3 * width),
                    "proj": nn.Linear(width, width),
                    "norm2": nn.LayerNorm(width),
                    "up": nn.Linear(width, 4 * width),
                    "down": nn.Linear(4 * width, width),
                }
            )
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)

    def attend(self, block, x):
        batch, length, width = x.shape
        q, k, v = block["qkv"](x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-1, -2) / (width // self.heads) ** 0.5
        mask = torch.ones(length, length, dtype=torch.bool).triu(1)
        mixed = scores.masked_fill(mask, float("-inf")).softmax(-1) @ v
        return block["proj"](mixed.transpose(1, 2).reshape(batch, length, width))

    def forward(self, x):
        h = self.embed(x)
        for block in self.blocks:
            h = h + self.attend(block, block["norm1"](h))
            h = h + block["down"](F.gelu(block["up"](block["norm2"](h))))
        return self.norm(h) @ self.embed.weight.T


class ViT(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch, self.token = nn.Conv2d(3, 16, 4, 4), nn.Parameter(torch.zeros(1, 1, 16))
        self.position = nn.Parameter(0.02 * torch.randn(1, 17, 16))
        layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        patches = self.patch(x).flatten(2).transpose(1, 2)
        h = torch.cat([self.token.expand(len(x), -1, -1), patches], dim=1) + self.position
        return self.head(self.encoder(h)[:, 0])


class GCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(8, 16), nn.Linear(16, 3)

    def forward(self, x, adjacency):
        h = F.relu(adjacency @ self.first(x))
        return adjacency @ self.second(h)


class GAT(nn.Module):
    """Attention over edges given as pairs, gathered and scattered by index."""

    def __init__(self):
        super().__init__()
        self.project, self.score, self.head = nn.Linear(8, 16, bias=False), nn.Linear(32, 1), nn.Linear(16, 3)

    def forward(self, x, edges):
        source, target = edges
        h = self.project(x)
        raw = F.leaky_relu(self.score(torch.cat([h[source], h[target]], -1)), 0.2).exp()
        total = torch.zeros(len(x), 1).index_add(0, target, raw)
        mixed = torch.zeros_like(h).index_add(0, target, raw / total[target] * h[source])
        return self.head(F.elu(mixed))


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode, self.mean, self.log_variance = nn.Linear(12, 16), nn.Linear(16, 2), nn.Linear(16, 2)
        self.decode, self.out = nn.Linear(2, 16), nn.Linear(16, 12)

    def forward(self, x):
        h = torch.relu(self.encode(x))
        mean, log_variance = self.mean(h), self.log_variance(h)
        latent = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return self.out(torch.relu(self.decode(latent))), mean, log_variance


def evidence(output, target):
    reconstructed, mean, log_variance = output
    divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(1).mean()
    return mse(reconstructed, target) + 0.1 * divergence


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.tower = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))

    def forward(self, left, right):
        return self.tower(left), self.tower(right)


def contrastive(output, same):
    distance = (output[0] - output[1]).square().sum(1)
    return (same * distance + (1 - same) * F.relu(1 - distance.add(1e-6).sqrt()).square()).mean()


class Mixture(nn.Module):
    """Every expert sees every example, a gate weighs their answers; the output is a mapping."""

    def __init__(self):
        super().__init__()
        self.enter, self.gate, self.head = nn.Linear(8, 16), nn.Linear(16, 3), nn.Linear(16, 4)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(16, 16), nn.SiLU(), nn.Linear(16, 16)) for _ in range(3))

    def forward(self, x):
        h = F.silu(self.enter(x))
        weights = self.gate(h).softmax(-1)
        mixed = torch.stack([expert(h) for expert in self.experts], -1) @ weights.unsqueeze(-1)
        return {"logits": self.head(mixed.squeeze(-1)), "usage": weights.mean(0)}


class LanguageModel(nn.Module):
    """The calling convention of transformers: keyword inputs, an output object with `.loss` and `.logits`."""

    def __init__(self):
        super().__init__()
        self.body = Decoder()

    def forward(self, input_ids, attention_mask=None, labels=None):
        logits = self.body(input_ids)
        loss = None if labels is None else cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        return SimpleNamespace(loss=loss, logits=logits)
