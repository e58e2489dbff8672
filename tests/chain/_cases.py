"""Fifteen architectures of everyday life, small, each with a loss and a batch, as people write them."""

from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from chain._attention import (
    GAT,
    GCN,
    VAE,
    Decoder,
    Encoder,
    LanguageModel,
    Mixture,
    Siamese,
    ViT,
    contrastive,
    evidence,
)

cross_entropy, mse = F.cross_entropy, F.mse_loss


def images(size=16, count=6):
    return torch.randn(count, 3, size, size)


def classes(count=6, kinds=4):
    return torch.arange(count) % kinds


def tokens(length=7, count=6, vocabulary=20):
    return torch.randint(0, vocabulary, (count, length))


class BasicBlock(nn.Module):
    def __init__(self, width, out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(width, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)
        wide = stride != 1 or width != out
        self.down = nn.Sequential(nn.Conv2d(width, out, 1, stride, bias=False), nn.BatchNorm2d(out)) if wide else None

    def forward(self, x):
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += x if self.down is None else self.down(x)
        return self.relu(out)


def resnet():
    stem = [nn.Conv2d(3, 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
    blocks = [BasicBlock(8, 8), BasicBlock(8, 16, 2), BasicBlock(16, 16)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 4))


class ConvNextBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.scale = nn.Parameter(1e-2 * torch.ones(width))

    def forward(self, x):
        h = self.depthwise(x).permute(0, 2, 3, 1)
        h = self.scale * self.down(F.gelu(self.up(self.norm(h))))
        return x + h.permute(0, 3, 1, 2)


def convnext():
    return nn.Sequential(
        nn.Conv2d(3, 12, 4, 4),
        ConvNextBlock(12),
        ConvNextBlock(12),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(12, 4),
    )


class DenseBlock(nn.Module):
    def __init__(self, width, growth, count):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(w), nn.ReLU(), nn.Conv2d(w, growth, 3, padding=1))
            for w in range(width, width + count * growth, growth)
        )

    def forward(self, x):
        features = [x]
        for layer in self.layers:
            features.append(layer(torch.cat(features, 1)))
        return torch.cat(features, 1)


def densenet():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1),
        DenseBlock(8, 4, 4),
        nn.BatchNorm2d(24),
        nn.ReLU(),
        nn.AvgPool2d(2),
        DenseBlock(24, 4, 3),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(36, 4),
    )


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.enter, self.inner = self.block(3, 8), self.block(8, 16)
        self.bottom, self.up2 = self.block(16, 32), nn.ConvTranspose2d(32, 16, 2, 2)
        self.outer2, self.up1 = self.block(32, 16), nn.ConvTranspose2d(16, 8, 2, 2)
        self.outer1, self.head = self.block(16, 8), nn.Conv2d(8, 2, 1)

    @staticmethod
    def block(width, out):
        return nn.Sequential(nn.Conv2d(width, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU())

    def forward(self, x):
        first = self.enter(x)
        second = self.inner(F.max_pool2d(first, 2))
        h = self.up2(self.bottom(F.max_pool2d(second, 2)))
        h = self.up1(self.outer2(torch.cat([h, second], 1)))
        return self.head(self.outer1(torch.cat([h, first], 1)))


class LSTMClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 12)
        self.lstm = nn.LSTM(12, 16, num_layers=2, batch_first=True, bidirectional=True, dropout=0.2)
        self.head = nn.Linear(32, 4)

    def forward(self, x):
        _, (hidden, _) = self.lstm(self.embed(x))
        return self.head(torch.cat([hidden[-2], hidden[-1]], dim=1))


class Seq2Seq(nn.Module):
    """A GRU encoder, and a decoder of cells that attends to all encoder states at every step."""

    def __init__(self):
        super().__init__()
        self.source, self.target = nn.Embedding(20, 12), nn.Embedding(20, 12)
        self.encoder, self.cell = nn.GRU(12, 16, batch_first=True), nn.GRUCell(28, 16)
        self.query, self.out = nn.Linear(16, 16), nn.Linear(32, 20)

    def forward(self, source, target):
        memory, last = self.encoder(self.source(source))
        hidden, outputs = last[0], []
        for token in self.target(target).unbind(1):
            weights = torch.softmax((memory @ self.query(hidden)[:, :, None]).squeeze(-1), dim=-1)
            context = (weights[:, None] @ memory).squeeze(1)
            hidden = self.cell(torch.cat([token, context], 1), hidden)
            outputs.append(self.out(torch.cat([hidden, context], 1)))
        return torch.stack(outputs, 1)


@dataclass(kw_only=True)
class Case:
    model: nn.Module
    loss: object
    batch: object
    kinds: set[str] = field(default_factory=set)
    """Kinds of links that must be found, nested or not."""


def sequence_loss(output, target):
    return cross_entropy(output.flatten(0, 1), target.flatten())


def ring(count=12):
    """A ring of nodes: normalised adjacency, and its edges both ways with self-loops."""
    eye = torch.eye(count)
    ahead = torch.arange(count)
    pairs = torch.stack(
        [torch.cat([ahead, ahead, ahead]), torch.cat([ahead, (ahead + 1) % count, (ahead - 1) % count])]
    )
    return (eye + eye.roll(1, 0) + eye.roll(-1, 0)) / 3, pairs


def cases():
    """Everything by name, built anew."""
    adjacency, edges = ring()
    nodes, node_classes = torch.randn(12, 8), classes(12, 3)
    rows, ids = torch.randn(6, 12), tokens()
    return {
        "resnet": Case(
            model=resnet(), loss=cross_entropy, batch=(images(), classes()), kinds={"convolution", "residual", "pool"}
        ),
        "convnext": Case(model=convnext(), loss=cross_entropy, batch=(images(), classes()), kinds={"residual"}),
        "densenet": Case(model=densenet(), loss=cross_entropy, batch=(images(), classes()), kinds={"concatenation"}),
        "unet": Case(
            model=UNet(), loss=cross_entropy, batch=(images(), torch.zeros(6, 16, 16).long()), kinds={"concatenation"}
        ),
        "lstm": Case(
            model=LSTMClassifier(), loss=cross_entropy, batch=(ids, classes()), kinds={"embedding", "recurrent"}
        ),
        "seq2seq": Case(model=Seq2Seq(), loss=sequence_loss, batch=((ids, ids), ids), kinds={"recurrent", "linear"}),
        "encoder": Case(
            model=Encoder(), loss=cross_entropy, batch=(ids, classes()), kinds={"attention", "residual", "norm"}
        ),
        "decoder": Case(model=Decoder(), loss=sequence_loss, batch=(ids, ids), kinds={"attention", "residual", "norm"}),
        "vit": Case(model=ViT(), loss=cross_entropy, batch=(images(), classes()), kinds={"convolution", "attention"}),
        "gcn": Case(model=GCN(), loss=cross_entropy, batch=((nodes, adjacency), node_classes), kinds={"linear"}),
        "gat": Case(model=GAT(), loss=cross_entropy, batch=((nodes, edges), node_classes), kinds={"linear"}),
        "autoencoder": Case(
            model=nn.Sequential(
                nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 2), nn.Tanh(), nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 12)
            ),
            loss=mse,
            batch=(rows, rows),
            kinds={"linear"},
        ),
        "vae": Case(model=VAE(), loss=evidence, batch=(rows, rows), kinds={"linear", "parallel"}),
        "siamese": Case(
            model=Siamese(),
            loss=contrastive,
            batch=((torch.randn(6, 8), torch.randn(6, 8)), (classes() > 1).float()),
            kinds={"parallel"},
        ),
        "mixture": Case(
            model=Mixture(),
            loss=lambda output, target: cross_entropy(output["logits"], target) + output["usage"].square().sum(),
            batch=(torch.randn(6, 8), classes()),
            kinds={"linear"},
        ),
        "language model": Case(
            model=LanguageModel(),
            loss=None,
            batch={"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids},
            kinds={"attention", "residual", "embedding"},
        ),
    }
