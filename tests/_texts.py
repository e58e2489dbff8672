"""Small texts with a known answer: reviews, pairs of texts, and lines to go on with."""

import numpy as np
import polars as pl


def films(count: int = 80) -> tuple[list[str], list[str]]:
    """Reviews whose class is told by one word, or by `not` before it."""
    generator = np.random.default_rng(0)
    texts, answers = [], []
    for _ in range(count):
        liked, no = generator.integers(2, size=2)
        word = generator.choice([["awful", "dull"], ["fine", "moving"]][liked])
        texts.append(f"I saw film number {generator.integers(999)} and it was {'not ' if no else ''}{word} overall")
        answers.append("good" if liked != no else "bad")
    return texts, answers


def pairs(count: int = 90) -> pl.DataFrame:
    """Pairs of texts; the score is how many words they share."""
    generator = np.random.default_rng(0)
    words = np.array([f"word{number}" for number in range(16)])
    rows = []
    for _ in range(count):
        left = generator.permutation(16)[:6]
        right = np.where(generator.random(6) < generator.random(), left, generator.permutation(16)[:6])
        rows.append((" ".join(words[left]), " ".join(words[right]), float(len(set(left) & set(right)))))
    return pl.DataFrame(rows, schema=["one", "two", "score"], orient="row")


LINES = "the cat sat on the mat, and the dog sat on the log.\nwho saw them, and why?\nnobody did.\n" * 35
