"""Whether a network generates at all: one clear answer for who asks a classifier to write."""

from __future__ import annotations

from evenkeel.errors import RequestError
from evenkeel.heads.base import Head
from evenkeel.heads.latent import Latent
from evenkeel.heads.tokens import Tokens


def check_writes(head: Head, length: int) -> None:
    """Refuse to continue a text with a head that has no next token.

    Raises:
        RequestError: another head, or a negative length.
    """
    if not isinstance(head, Tokens):
        other = "run.draw(4) makes new examples" if isinstance(head, Latent) else "train on a text for that"
        raise RequestError(f"a run for {head.task} by {type(head).__name__} writes no text; {other}")
    if length < 0:
        raise RequestError(f"length must be 0 or more tokens, got {length}")


def latent_of(head: Head) -> Latent:
    """The latent head.

    Raises:
        RequestError: another head.
    """
    if not isinstance(head, Latent):
        raise RequestError(
            f"a run for {head.task} by {type(head).__name__} has no latent space; try task='generation' on images"
        )
    return head
