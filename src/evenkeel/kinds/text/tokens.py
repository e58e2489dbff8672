"""Cut a text into numbered tokens, and put it together again.

words       "loose": lower case, blanks dropped, for reading; "exact": with their blanks, so that a text comes back
characters  as they are            bytes  of UTF-8            bpe  byte pairs merged as often as they occur

Code 0 is an unknown token. Source: Sennrich et al. 2016, arXiv:1508.07909 (byte-pair encoding).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from evenkeel.data.schema import Frozen
from evenkeel.errors import RequestError
from evenkeel.shapes import Tensor

Unit = Literal["words", "characters", "bytes", "bpe"]
TokenForm = Literal["loose", "exact"]
Codes = NDArray[np.int32]

UNKNOWN = "\ufffd"  # how code 0 is written
PATTERNS = {"loose": re.compile(r"\w+(?:'\w+)*|[^\w\s]"), "exact": re.compile(r" ?\w+|\s|[^\w\s]")}
BYTES = 256
CONTINUATION = 0b10  # the two highest bits of a byte of UTF-8 that begins no character
LINES_AT_ONCE = 10_000


class Tokenizer(Frozen):
    """The tokens of the training texts in the order of their codes from 1 on, or the merges of bpe.

    `merges` is the text that the `tokenizers` package writes and reads.
    """

    unit: Unit
    form: TokenForm = "loose"
    tokens: tuple[str, ...] = ()
    merges: str = ""

    @property
    def size(self) -> int:
        """Codes, 0 for the unknown included."""
        if self.unit == "bpe":
            return 1 + _merger(self.merges).get_vocab_size()
        return 1 + (BYTES if self.unit == "bytes" else len(self.tokens))

    def encode(self, texts: Sequence[str]) -> list[Codes]:
        """Codes of each text; none of an empty one."""
        if self.unit == "bytes":
            return [np.frombuffer(text.encode(errors="replace"), np.uint8).astype(np.int32) + 1 for text in texts]
        if self.unit == "bpe":
            return [_merged(self.merges, text) for text in texts]
        return self.codes_of([cut(text, self.unit, self.form) for text in texts])

    def codes_of(self, pieces: Sequence[Iterable[str]]) -> list[Codes]:
        """Codes of words or characters that are cut already."""
        known = {token: code for code, token in enumerate(self.tokens, start=1)}
        return [np.fromiter((known.get(piece, 0) for piece in text), np.int32) for text in pieces]

    def decode(self, codes: Iterable[int] | NDArray[np.integer] | Tensor) -> str:
        """Write codes as text; loose words with a blank between them.

        Bytes that are no whole character yet are written as U+FFFD.
        """
        listed: list[int] = np.asarray(codes if hasattr(codes, "__len__") else list(codes)).astype(int).tolist()
        if self.unit == "bytes":
            return bytes(code - 1 for code in listed if code).decode(errors="replace")
        if self.unit == "bpe":
            return b"".join(self.written(code) for code in listed).decode(errors="replace")
        between = " " if self.unit == "words" and self.form == "loose" else ""
        return between.join(self.tokens[code - 1] if code else UNKNOWN for code in listed)

    def written(self, code: int) -> bytes:
        """The bytes that a token of bpe stands for."""
        return b"" if code == 0 else bytes(_byte_of()[sign] for sign in _merger(self.merges).id_to_token(code - 1))

    def characters(self) -> list[int]:
        """Number of characters that each code stands for: 0 for a byte inside a character and for the unknown.

        Predicting "unknown" costs bits and conveys no character.
        """
        if self.unit == "bytes":
            return [0, *(int(value >> 6 != CONTINUATION) for value in range(BYTES))]
        if self.unit == "bpe":
            return [0, *(sum(b >> 6 != CONTINUATION for b in self.written(code)) for code in range(1, self.size))]
        return [0, *map(len, self.tokens)]


def cut(text: str, unit: Unit, form: TokenForm) -> Iterable[str]:
    """The words or characters of a text.

    Example:
        >>> cut("It's  good!", "words", "loose"), cut("It's  good!", "words", "exact")
        (["it's", 'good', '!'], ['It', "'", 's', ' ', ' good', '!'])
    """
    if unit == "characters":
        return text
    return PATTERNS[form].findall(text.lower() if form == "loose" else text)


def fit_tokenizer(
    texts: Sequence[str], unit: Unit, *, form: TokenForm = "loose", most: int = 50_000, fewest: int = 1
) -> Tokenizer:
    """Learn the tokens of the training texts, at most `most`, each occurring at least `fewest` times.

    Raises:
        RequestError: bpe without the package `tokenizers`, or with fewer tokens than there are bytes.

    Example:
        >>> tokenizer = fit_tokenizer(["to be or not to be"], "words", most=3)
        >>> tokenizer.tokens, tokenizer.encode(["to be, or"])[0].tolist()
        (('be', 'to', 'not'), [2, 1, 0, 0])
    """
    if unit == "bytes":
        return Tokenizer(unit=unit, form=form)
    if unit == "bpe":
        return Tokenizer(unit=unit, form=form, merges=_learn_merges(texts, most))
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(cut(text, unit, form))
    ranked = sorted((token for token, count in counts.items() if count >= fewest), key=lambda t: (-counts[t], t))
    return Tokenizer(unit=unit, form=form, tokens=tuple(ranked[:most]))


def _package() -> Any:
    try:
        import tokenizers
    except ImportError as problem:
        raise RequestError(
            "tokens='bpe' needs the package tokenizers: pip install 'evenkeel[text]'; or try tokens='characters'"
        ) from problem
    return tokenizers


def _learn_merges(texts: Sequence[str], most: int) -> str:
    """The merges of byte pairs, as text."""
    if most < BYTES:
        raise RequestError(f"bpe starts from the {BYTES} bytes, so vocabulary must be more than that, got {most}")
    package = _package()
    model = package.Tokenizer(package.models.BPE())
    model.pre_tokenizer = package.pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = package.pre_tokenizers.ByteLevel.alphabet()
    trainer = package.trainers.BpeTrainer(vocab_size=most, initial_alphabet=sorted(alphabet), show_progress=False)
    model.train_from_iterator((part for text in texts for part in _lines(text)), trainer)
    return model.to_str()


def _lines(text: str) -> Iterator[str]:
    """Split a text into parts of some thousand lines, which bpe reads far faster than one long text."""
    lines = text.splitlines(keepends=True)
    for start in range(0, len(lines), LINES_AT_ONCE):
        yield "".join(lines[start : start + LINES_AT_ONCE])


def _merged(merges: str, text: str) -> Codes:
    parts = [part.ids for part in _merger(merges).encode_batch(list(_lines(text)))]
    return np.asarray([code + 1 for part in parts for code in part], dtype=np.int32)


@lru_cache(maxsize=4)
def _merger(merges: str) -> Any:
    """The tokenizer of some merges, cached: making it takes longer than reading a text."""
    return _package().Tokenizer.from_str(merges)


@lru_cache(maxsize=1)
def _byte_of() -> dict[str, int]:
    """The byte behind each sign of byte-level bpe: itself where printable, else a sign from 256 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [value for value in range(BYTES) if value not in printable]
    return {chr(value): value for value in printable} | {chr(BYTES + n): value for n, value in enumerate(hidden)}
