"""List the pieces of a text in no order: its tokens, tokens side by side, and runs of letters within its words.

    pieces = [tokens | neighbours, pairs first | letters]     each counted once a text, numbered through

Runs of letters tell `helpless` from `helpful` by what both share with other words, and say something of a word that
training has not seen. Source: Bojanowski et al. 2017, arXiv:1607.04606; Wang and Manning 2012, aclanthology:P12-2018.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from evenkeel.data.fields import Joined
from evenkeel.data.schema import Frozen
from evenkeel.kinds.text.tokens import Tokenizer

SHORTEST_RUN = 3  # letters; shorter ones are in every word
FEWEST = 2  # times that a run or a pair of neighbours must come in training
Numbers = NDArray[np.int64]


class Bag(Frozen):
    """Neighbours and runs of letters of the training texts, and the number of their `tokens`.

    `neighbours` holds for each length from 2 on the known ones, ascending, as numbers in a text: `prefix * tokens +
    token`, where the prefix is a token, or the place of the shorter neighbours in the line before. `run` is the
    longest run of letters.
    """

    tokens: int
    neighbours: tuple[str, ...] = ()
    letters: tuple[str, ...] = ()
    run: int = 0

    @property
    def size(self) -> int:
        """Number of pieces; code 0 is that of unknown tokens and never in a bag."""
        return self.tokens + sum(len(keys) for keys in self.known()) + len(self.letters)

    def known(self) -> list[Numbers]:
        """Neighbours as numbers, one array a length."""
        return [np.array(line.split(), dtype=np.int64) for line in self.neighbours]


class Flat(NamedTuple):
    """The tokens of many texts, one after the other: codes, and the text that each belongs to."""

    codes: Numbers
    owners: Numbers
    texts: int


def flatten(codes: Sequence[NDArray[np.int32]]) -> Flat:
    """Join the codes of several texts."""
    lengths = [len(each) for each in codes]
    joined = np.concatenate([np.empty(0, np.int32), *codes]).astype(np.int64)
    return Flat(codes=joined, owners=np.repeat(np.arange(len(codes)), lengths), texts=len(codes))


def fit_bag(tokens: Tokenizer, codes: Sequence[NDArray[np.int32]], *, side_by_side: int, run: int, most: int) -> Bag:
    """Learn neighbours and letters of the training texts from their codes; of each length at most `most`.

    Example:
        >>> from evenkeel.kinds.text.tokens import fit_tokenizer
        >>> texts = ["not good", "not good", "a goose"]
        >>> tokens = fit_tokenizer(texts, "words")
        >>> bag = fit_bag(tokens, tokens.encode(texts), side_by_side=2, run=3, most=100)
        >>> bag.letters, [len(keys) for keys in bag.known()], bag.size
        (('<go', 'goo', '<no', 'not', 'od>', 'ood', 'ot>'), [1], 13)
    """
    flat, lines = flatten(codes), []
    prefix, size = flat.codes, tokens.size
    for length in range(2, side_by_side + 1):
        keys = _keys(flat, prefix, length, size)
        distinct, counts = np.unique(keys[keys >= 0], return_counts=True)
        common = np.lexsort((distinct, -counts))[:most]
        known = np.sort(distinct[common[counts[common] >= FEWEST]])
        lines.append(" ".join(map(str, known.tolist())))
        prefix = _places(keys, known)
    letters = _common_runs(flat.codes, tokens, run, most) if run >= SHORTEST_RUN else ()
    return Bag(tokens=tokens.size, neighbours=tuple(lines), letters=letters, run=run)


def _keys(flat: Flat, prefix: Numbers, length: int, size: int) -> Numbers:
    """The number of the neighbours that start at each token, -1 without; `prefix` holds those one token shorter."""
    keys = np.full(len(flat.codes), -1, dtype=np.int64)
    count = max(0, len(keys) - length + 1)
    last = flat.codes[length - 1 :]
    follows = (flat.owners[:count] == flat.owners[length - 1 :]) & (last > 0)
    follows &= (prefix[:count] > 0) if length == 2 else (prefix[:count] >= 0)
    keys[:count][follows] = prefix[:count][follows] * size + last[follows]
    return keys


def _places(keys: Numbers, known: Numbers) -> Numbers:
    """Index of each number among the known ones, -1 of an unknown one."""
    if not len(known):
        return np.full(len(keys), -1, dtype=np.int64)
    places = np.searchsorted(known, keys).clip(max=len(known) - 1)
    return np.where(known[places] == keys, places, -1)


def runs_of(word: str, longest: int) -> list[str]:
    """Runs of letters of a word, its ends marked.

    Example:
        >>> runs_of("to", 4)
        ['<to', 'to>', '<to>']
    """
    marked = f"<{word}>"
    return [
        marked[start : start + length]
        for length in range(SHORTEST_RUN, longest + 1)
        for start in range(len(marked) - length + 1)
    ]


def _common_runs(codes: Numbers, tokens: Tokenizer, run: int, most: int) -> tuple[str, ...]:
    """The most frequent runs of letters, weighted by the frequency of their words."""
    counts: Counter[str] = Counter()
    for code, times in enumerate(np.bincount(codes, minlength=tokens.size).tolist()):
        if code and times:
            for piece in runs_of(tokens.tokens[code - 1], run):
                counts[piece] += times
    return tuple(sorted((p for p, n in counts.items() if n >= FEWEST), key=lambda p: (-counts[p], p))[:most])


def fill_bag(bag: Bag, codes: Sequence[NDArray[np.int32]], words: Sequence[Sequence[str]] | None) -> Joined:
    """The pieces of each text; `words` are needed where the bag has runs of letters."""
    flat, first = flatten(codes), bag.tokens
    prefix = flat.codes
    numbers, owners = [flat.codes[flat.codes > 0]], [flat.owners[flat.codes > 0]]
    for length, known in enumerate(bag.known(), start=2):
        prefix = _places(_keys(flat, prefix, length, bag.tokens), known)
        numbers.append(prefix[prefix >= 0] + first)
        owners.append(flat.owners[prefix >= 0])
        first += len(known)
    if bag.letters and words is not None:
        spelled = flatten(_spelled(bag, words))
        numbers.append(spelled.codes + first)
        owners.append(spelled.owners)
    return _once(np.concatenate(numbers), np.concatenate(owners), bag.size, flat.texts)


def _spelled(bag: Bag, words: Sequence[Sequence[str]]) -> list[NDArray[np.int32]]:
    """Numbers of the runs of letters of each text; each distinct word is taken apart once."""
    known = {piece: number for number, piece in enumerate(bag.letters)}
    runs: dict[str, list[int]] = {}
    for word in {word for text in words for word in text}:
        runs[word] = [known[piece] for piece in runs_of(word, bag.run) if piece in known]
    return [np.array([number for word in text for number in runs[word]], dtype=np.int32) for text in words]


def _once(numbers: Numbers, owners: Numbers, size: int, texts: int) -> Joined:
    """Drop repeated pieces of each text; text after text."""
    ordered = np.sort(owners * size + numbers)  # np.unique goes by hashing, which takes ten times as long
    distinct = ordered[np.diff(ordered, prepend=-1) > 0]
    starts = np.searchsorted(distinct, np.arange(texts + 1) * size)
    return Joined(torch.from_numpy((distinct % size).astype(np.int32)), torch.from_numpy(starts))
