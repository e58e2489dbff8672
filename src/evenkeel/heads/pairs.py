"""The embedding head for pairs: two views of each row, from two sides, near each other and far from all strangers.

It is the embedding's head; what differs is how it is judged: does a row of one side find its partner on the other?
Source: Radford et al. 2021, arXiv:2103.00020
"""

from evenkeel.heads.base import HeadPart
from evenkeel.heads.embedding import EMBED, Embedding

PAIRS = HeadPart(
    name="pairs",
    summary="embedding of pairs: a point for each side, near to its partner",
    source="Radford et al. 2021, arXiv:2103.00020",
    call=Embedding,
    target="pairs",
    metrics=(
        "partner_recall",
        "partner_rank",
        "left_recall_at_1",
        "left_recall_at_5",
        "left_recall_at_10",
        "right_recall_at_1",
        "right_recall_at_5",
        "right_recall_at_10",
    ),
    chosen="by-target",
    usage=EMBED,
)
