"""What a report shows of the examples themselves: the pictures of their kind, or a map of an embedding."""

from __future__ import annotations

from evenkeel.kinds.base import Shown
from evenkeel.page import Section
from evenkeel.page.embeddings import embedding_section
from evenkeel.run.answers import answers_of
from evenkeel.run.run import SHOWN, Run


def pictures_of(run: Run) -> list[Section]:
    """The sections of a run's kind; none where nothing was kept of the test rows."""
    section = _map(run) if run.plan.task == "embedding" else run.kind.pictures(shown_of(run))
    return [] if section is None else [section]


def shown_of(run: Run) -> Shown:
    """What a run kept of its test rows."""
    kept = {name.removeprefix(SHOWN): tensor.numpy() for name, tensor in run.sample.items() if name.startswith(SHOWN)}
    return Shown(
        schema=run.record.schema_,
        head=run.network.head,
        network=run.network,
        tensors=kept,
        output=run.sample.get("output"),
        target=run.sample.get("target"),
        answers=answers_of(run),
    )


def _map(run: Run) -> Section | None:
    """Where the test rows lie: groups in colours, or both sides of pairs."""
    if "output" not in run.sample:
        return None
    groups = None
    if run.part.reads == "groups":
        groups = [str(run.classes[row]) for row in run.sample["target"].tolist()]
    return embedding_section(run.sample["output"].numpy(), groups)
