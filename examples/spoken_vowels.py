"""Who said it? Nine speakers, told apart by one vowel: sequences of unequal length, trained, measured, saved and used.

    python examples/spoken_vowels.py DATA_FOLDER

Japanese Vowels: 640 utterances of /ae/ as 7 to 29 steps of 12 numbers each (cepstral coefficients); 270 of them train,
in a `.ts` file, and 370 are the test. The published nets reach from 94.4 % (MCDCNN) to 99.3 % (FCN).

Once the network knows the speakers, the example asks how much of a word it needs: it is given the first steps of each
test utterance only.

Reached by one network of the recipe (seed 0): 98.6 % of whole utterances; 72.7 % after one step, 78.1 % after 4, 89.7 %
after 8. What `fit` makes of so few sequences by itself is an ensemble of four, which takes four times as long.
"""

import tempfile
from pathlib import Path

import click
import numpy as np
import torch
from rich.console import Console
from rich.table import Table

import evenkeel as ek
from evenkeel.kinds.sequence.ts_files import TsFile, read_ts

HEARD = (1, 2, 4, 8, 16, 32)  # steps of each utterance that are given


def learn(train: Path, seed: int, **settings: object) -> ek.Run:
    """A network of the usual kind on the whole training file: so few utterances are better all learned from."""
    return ek.fit(train, target="speaker", seed=seed, validation=0, test=0, settings=settings)


def share_right(run: ek.Run, test: TsFile, steps: int) -> float:
    """How often the speaker is right after so many steps."""
    heard = [sequence[:steps] for sequence in test.sequences]
    return float(np.mean(run.predict(heard).astype(str) == np.array(test.answers)))


@click.command()
@click.argument("folder", metavar="DATA_FOLDER|$EVENKEEL_DATA", envvar="EVENKEEL_DATA", type=click.Path(path_type=Path))
@click.option("--seed", default=0, show_default=True, help="Of first weights and of the order of the utterances.")
@click.option("--updates", type=int, help="Steps of training, instead of the usual number.")
@click.option("--members", default=1, show_default=True, help="Networks that learn side by side.")
def main(folder: Path, seed: int, updates: int | None, members: int) -> None:
    """Tell nine speakers apart by one vowel, and by the beginning of it."""
    torch.set_num_threads(1)
    train, test = (folder / "ts-JapaneseVowels" / f"JapaneseVowels_{part}.ts" for part in ("TRAIN", "TEST"))
    if not test.is_file():
        raise click.ClickException(
            f"needs {test}: name the folder that holds ts-JapaneseVowels/, or set EVENKEEL_DATA to it"
        )
    run = learn(train, seed, members=members, **({} if updates is None else {"updates": updates}))
    with tempfile.TemporaryDirectory() as place:
        run = ek.load(run.save(Path(place) / "speakers"))  # as another program would use it
    table = Table("steps heard", "speaker right")
    for steps in HEARD:
        table.add_row(str(steps), f"{share_right(run, read_ts(test), steps):.1%}")
    Console().print(table)
    print(f"whole utterances: {run.evaluate(test)['accuracy']:.1%} right")


if __name__ == "__main__":
    main()
