"""The table of delays: symptom by symptom, onset by onset, seed by seed; and what the unspoilt trainings were told."""

from __future__ import annotations

import os

from bench._delay_faults import FAULTS, NEVER, Fault
from bench._delay_measure import AFTER, ONSET, STEPS, Course, course
from bench._delay_setups import SETUPS
from bench._machine import table
from evenkeel.symptoms import PARTS as SYMPTOMS

SEEDS = (0, 1, 2)
WARM = 20
"""Steps of a run before all others, which pays for what is loaded once."""
HEADER = [
    "symptom",
    f"onset at step {ONSET}",
    "loss",
    "told as itself",
    "first right finding",
    "told besides",
    "as itself at `every=1`",
]


def delay_tables() -> str:
    """Measure all faults and the trainings without any."""
    course("regression", None, 0, steps=WARM)
    rows = [row for symptom in SYMPTOMS for row in rows_of(symptom)]
    healthy = [quiet_row(name) for name in SETUPS]
    quiet = table(["training", "told at the default budget", "told at `every=1`"], healthy)
    load = f"Load of the machine meanwhile: {os.getloadavg()[-1]:.0f} (mean of the last 15 minutes)."
    return "\n\n".join([ABOUT, load, table(HEADER, rows), f"The same trainings, {STEPS} steps without a fault:", quiet])


def rows_of(symptom: str) -> list[list[object]]:
    """One row an onset; a symptom without one has its reason."""
    if symptom in NEVER:
        return [[symptom, "-", "-", NEVER[symptom], "-", "-", "-"]]
    return [fault_row(fault) for fault in FAULTS if fault.symptom == symptom]


def fault_row(fault: Fault) -> list[object]:
    """Three seeds at the default budget, one looked at step by step."""
    runs = [course(fault.setup, fault.begin, seed) for seed in SEEDS]
    close = course(fault.setup, fault.begin, SEEDS[0], every=1)
    row: list[object] = [fault.symptom, fault.name, losses(runs[0]), itself(fault, runs), first_right(fault, runs)]
    row += [besides(fault, runs), itself(fault, [close])]
    print(row, flush=True)
    return row


def losses(run: Course) -> str:
    """Before the onset, a little after it, and at the end."""
    return ", ".join(f"{run.level(step):.2g}" for step in (ONSET - 1, ONSET + AFTER, len(run.losses)))


def itself(fault: Fault, runs: list[Course]) -> str:
    """Delays of the symptom's own finding, or why there are none."""
    cells = [delay_of(run, {fault.symptom}) for run in runs]
    return fault.unknown if fault.unknown and set(cells) == {"-"} else ", ".join(cells)


def delay_of(run: Course, wanted: set[str]) -> str:
    """Steps from the onset to the first finding of some symptoms: `60`, as a note `60n`, `end`, or `-`."""
    found = run.first(wanted)
    if found is None:
        return "end" if run.at_end(wanted) else "-"
    return f"{found.step - ONSET}{'n' if found.severity == 'note' else ''}"


def first_right(fault: Fault, runs: list[Course]) -> str:
    """Delays of the first finding that is right of this fault, and what they were."""
    wanted = {fault.symptom, *fault.accepted}
    cells = ", ".join(delay_of(run, wanted) for run in runs)
    found = [told for run in runs if (told := run.first(wanted)) is not None]
    names = [name for name in SYMPTOMS if any(name in together(run, wanted) for run in runs)]
    return f"{cells} ({', '.join(names)})" if found else cells


def together(run: Course, wanted: set[str]) -> set[str]:
    """What was told of some symptoms in the first judgement that told any."""
    found = run.first(wanted)
    if found is None:
        return set()
    return {told.symptom for told in run.live if told.step == found.step and told.symptom in wanted}


def besides(fault: Fault, runs: list[Course]) -> str:
    """What else was told after the onset, or before it, and in how many of the runs."""
    wanted = {fault.symptom, *fault.accepted}
    others = [name for run in runs for name in run.told(since=ONSET) - wanted]
    early = [f"before: {told.symptom}" for run in runs for told in run.live if told.step < ONSET]
    counts = {name: (others + early).count(name) for name in sorted({*others, *early})}
    return ", ".join(f"{name} ({count} of {len(runs)})" for name, count in counts.items()) or "-"


def quiet_row(setup: str) -> list[object]:
    """What is told of a training that nobody spoils."""
    runs = [course(setup, None, seed) for seed in SEEDS]
    close = course(setup, None, SEEDS[0], every=1)
    row: list[object] = [
        setup,
        *(", ".join(sorted(set().union(*map(Course.told, each)))) or "-" for each in (runs, [close])),
    ]
    print(row, flush=True)
    return row


ABOUT = f"""Steps from the onset of a fault at step {ONSET} to its finding, in loops of {STEPS} steps of 5 ms (by a
clock that stands while others compute; beside them this process still computes slower), default budget, one number
for each of seeds {", ".join(map(str, SEEDS))}. *Told as itself*:
as the symptom that it was planted for; *first right finding*: as that
or another that is as true of it, told together where several came at once; *told besides*: everything else, also in
the judgement after the last step. `n`: at first as a note only. `end`: not before the run was over. `-`: not at all.
*Loss*: before the onset, {AFTER} steps after it, and at the end (seed {SEEDS[0]}); where it is soon what it was, the
training has healed by itself. *Every=1*: each step is looked at, and judged at steps that grow by a tenth, so that 15
is the least; seed {SEEDS[0]}. Validation losses are put into the watch's record as `ek.checkup` does; a bare watch
hears of none."""
