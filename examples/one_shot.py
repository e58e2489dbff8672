"""One-shot recognition: which of 20 new characters is this, when each has been seen once?

    python examples/one_shot.py DATA_FOLDER --loss info_nce

Omniglot: handwritten characters of many alphabets. A network learns from 6 alphabets to lay drawings of one character
near each other; it is then shown 20 characters of an alphabet that it has never met, once each, and recognises other
people's drawings of them by the nearest point. Four losses say in their own way what "near" means: a distance smaller
than that to a stranger (triplet), two strangers a margin apart (contrastive), the partner found among all others
(InfoNCE, NT-Xent). A batch looks like the question: drawings of one alphabet, by two people.

Reached on the 20 given runs, after 1 500 updates (3 minutes of one core): InfoNCE 6.8, 9.7 and 7.0 % wrong with three
seeds, NT-Xent 9.5 %, contrastive 10.0 %, triplet 10.8 %; the nearest neighbour of pixels has 78 %, the modified
Hausdorff distance 38.8 %, people 4.5 %. On the two alphabets kept back all four lie between 14.0 and 15.5 %.
"""

import io
import zipfile
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor, nn
from torch.nn import functional

import evenkeel as ek

SIZE = 28  # pixels, from 105
DRAWERS = 20  # of each character
SHAKE = 0.1  # standard deviation of the change of an image, in parts of its half width
RATE = 4e-3  # largest learning rate
GROUPS, CHARACTERS = 3, 20  # a batch: 3 turned alphabets of up to 20 characters, each drawn by the same 2 people
KEPT = ("Tagalog", "Early_Aramaic")  # alphabets that do not train: choices are made on them, never on the runs
OPTIONS = {
    "triplet": {"loss": "triplet_from_labels", "options": {"margin": 0.3, "mining": "semi-hard"}},
    "contrastive": {"loss": "contrastive", "options": {"margin": 1.0}},
    "info_nce": {"loss": "info_nce", "options": {"temperature": 0.1}},
    "nt_xent": {"loss": "nt_xent", "options": {"temperature": 0.1}},
}


def read_drawing(archive: zipfile.ZipFile, name: str) -> Tensor:
    """Ink 0..1 of a drawing, (height, width)."""
    small = Image.open(io.BytesIO(archive.read(name))).convert("L").resize((SIZE, SIZE), Image.Resampling.BOX)
    return 1 - torch.from_numpy(np.asarray(small, dtype=np.float32)) / 255


def read_alphabets(folder: Path) -> dict[str, Tensor]:
    """Drawings of each alphabet, (character, drawer, height, width); two alphabets are in both archives."""
    drawings: dict[str, list[Tensor]] = {}
    for path in (folder / "images_background_small1.zip", folder / "images_background_small2.zip"):
        with zipfile.ZipFile(path) as archive:
            names = sorted(name for name in archive.namelist() if name.endswith(".png"))
            found: dict[str, list[Tensor]] = {}
            for name in names:  # folder/alphabet/character/drawing: sorted, the drawers come in the same order
                found.setdefault(name.split("/")[1], []).append(read_drawing(archive, name))
            drawings |= found
    return {alphabet: torch.stack(each).unflatten(0, (-1, DRAWERS)) for alphabet, each in sorted(drawings.items())}


class Run(NamedTuple):
    """20 characters seen once, 20 drawings to recognise, and for each of these which character it is."""

    seen: Tensor
    asked: Tensor
    answer: Tensor


def read_runs(folder: Path) -> list[Run]:
    """The 20 runs of 20 characters that everybody is compared on."""
    runs = []
    with zipfile.ZipFile(folder / "all_runs.zip") as archive:
        for number in range(1, 21):
            names = archive.read(f"run{number:02d}/class_labels.txt").decode().split()
            asked, answers, seen = names[0::2], names[1::2], sorted(names[1::2])
            known, drawn = (torch.stack([read_drawing(archive, name) for name in each]) for each in (seen, asked))
            runs.append(Run(known, drawn, torch.tensor([seen.index(name) for name in answers])))
    return runs


def draw_batch(alphabets: list[Tensor], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Images (image, 1, height, width) and their characters; a character turned by 90 degrees is another one."""
    images = []
    for choice in torch.randperm(4 * len(alphabets), generator=generator)[:GROUPS].tolist():
        alphabet = alphabets[choice // 4]
        some = torch.randperm(alphabet.shape[0], generator=generator)[:CHARACTERS]
        people = torch.randperm(alphabet.shape[1], generator=generator)[:2]
        images.append(torch.rot90(alphabet[some][:, people], choice % 4, (2, 3)).flatten(0, 1))
    together = torch.cat(images).unsqueeze(1)
    return shake(together, generator), torch.arange(len(together)) // 2


def shake(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each image a little turned, sheared, scaled and shifted."""
    matrix = torch.eye(2) + SHAKE * torch.randn(len(images), 2, 2, generator=generator).clamp(-2, 2)
    shift = SHAKE * torch.randn(len(images), 2, 1, generator=generator).clamp(-2, 2)
    grid = functional.affine_grid(torch.cat([matrix, shift], 2), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


class Places(nn.Module):
    """Images (image, 1, height, width) to features (image, unit) that keep where in the image something is.

    `ek.nets.CNN` ends in the mean over all positions, which forgets just that; and characters are strokes in their
    places. With the same stages, but a few numbers for each of the last 4 x 4 positions, 300 updates leave an error of
    29 % on the alphabets kept back, instead of 48 %.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.stages = ek.nets.CNN(1, width=width, depth=3).stages
        self.features = 16 * 2 * width
        self.narrow = nn.Conv2d(8 * width, 2 * width, 1)
        self.norm = nn.LayerNorm(self.features)

    def forward(self, images: Tensor) -> Tensor:
        """(image, 1, height, width) to (image, unit)."""
        padding = None
        for stage in self.stages:
            images, padding = stage(images, padding)
        return self.norm(self.narrow(images).flatten(1))


def batch_loss(network: ek.Network, images: Tensor, characters: Tensor) -> Tensor:
    """The head pairs images of the same number; for the contrastive loss the pairs are chosen here.

    Each drawing meets its partner, and the nearest stranger that is farther than that. The nearest of all would be too
    hard at first: the quickest way to be rid of it is to lay all points on one another, where learning ends.
    """
    if network.head.loss_name != "contrastive":
        return network.loss(images, characters)
    points = network(images)
    apart = torch.cdist(points.detach(), points.detach())
    own = apart.gather(1, (torch.arange(len(points)) ^ 1).unsqueeze(1))  # partners are rows 0 and 1, 2 and 3, ...
    same = characters.unsqueeze(1) == characters
    stranger = (apart + 10.0 * (apart <= own) + 100.0 * same).argmin(1)
    views = torch.cat([points.unflatten(0, (-1, 2)), torch.stack([points, points[stranger]], 1)])
    return network.head.loss(views, (torch.arange(len(views)) < len(points) // 2).long())


def embed(network: ek.Network | None, images: Tensor) -> Tensor:
    """Points of images (..., height, width), at length 1; without a network the pixels themselves."""
    if network is None:
        return functional.normalize(images.flatten(-2), dim=-1)
    flat = images.reshape(-1, 1, SIZE, SIZE)
    return torch.cat([network.predict(part) for part in flat.split(256)]).unflatten(0, images.shape[:-2])


def error_on_alphabets(network: ek.Network | None, alphabets: list[Tensor]) -> float:
    """One-shot error over all pairs of drawers: one drew the characters that are known, the other asks."""
    errors = []
    for alphabet in alphabets:
        points = embed(network, alphabet[:CHARACTERS])
        closeness = torch.einsum("apu,bqu->pqab", points, points)
        wrong = (closeness.argmax(3) != torch.arange(len(points))).float().mean(2)
        errors.append(wrong[~torch.eye(len(wrong), dtype=torch.bool)].mean())
    return float(torch.stack(errors).mean()) if errors else float("nan")


def error_on_runs(network: ek.Network | None, runs: list[Run]) -> float:
    """Share of drawings whose nearest known character is a wrong one."""
    wrong = [(embed(network, run.asked) @ embed(network, run.seen).T).argmax(1) != run.answer for run in runs]
    return float(torch.stack(wrong).float().mean())


def build(loss: str, seed: int, width: int) -> ek.Network:
    """A convolutional net and an embedding of length 1, started by the seed."""
    torch.manual_seed(seed)
    net = Places(width)
    return ek.Network(net, ek.heads.Embedding(net.features, units=64, **OPTIONS[loss]))


def train(alphabets: list[Tensor], loss: str, updates: int, seed: int, width: int = 16) -> ek.Network:
    """A network whose points lie near each other where two people drew the same character."""
    network, generator = build(loss, seed, width), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=RATE, total_steps=updates, pct_start=0.1)
    for _ in track(range(updates), description=loss, console=Console(stderr=True)):
        images, characters = draw_batch(alphabets, generator)
        optimizer.zero_grad()
        batch_loss(network, images, characters).backward()
        optimizer.step()
        schedule.step()
    return network


@click.command()
@click.argument("folder", metavar="DATA_FOLDER|$EVENKEEL_DATA", envvar="EVENKEEL_DATA", type=click.Path(path_type=Path))
@click.option("--loss", default="info_nce", show_default=True, type=click.Choice(list(OPTIONS)))
@click.option("--updates", default=1500, show_default=True, type=click.IntRange(min=20), help="Steps of the optimizer.")
@click.option("--seed", default=0, show_default=True)
@click.option("--keep", default=" ".join(KEPT), show_default=True, help="Alphabets that do not train; '' for none.")
def main(folder: Path, loss: str, updates: int, seed: int, keep: str) -> None:
    """Learn from a few alphabets to tell the characters of others apart, each seen once."""
    place = folder / "omniglot"
    if not place.is_dir():
        raise click.ClickException(f"needs {place}: name the folder that holds omniglot/, or set EVENKEEL_DATA to it")
    torch.set_num_threads(1)
    alphabets, runs = read_alphabets(place), read_runs(place)
    network = train([drawn for name, drawn in alphabets.items() if name not in keep.split()], loss, updates, seed)
    table = Table("one-shot error among 20", "alphabets kept back", "the 20 given runs")
    table.add_row("nearest neighbour of pixels", "", f"{error_on_runs(None, runs):.1%}")
    kept = error_on_alphabets(network, [alphabets[name] for name in keep.split()])
    table.add_row(f"{loss}, {updates} updates, seed {seed}", f"{kept:.1%}", f"{error_on_runs(network, runs):.1%}")
    Console().print(table)


if __name__ == "__main__":
    main()
