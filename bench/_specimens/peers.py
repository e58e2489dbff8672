"""What other tools' verdicts mean in the words of the examination, and the tools as it wants them.

Read to the tool's favour: a verdict that may mean several symptoms counts as each of them, and the causes are those
that its own advice names, in its order. A verdict that is none of our symptoms is "other": an alarm all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench._peers.attach import Said, look_on
from bench._peers.observers import OBSERVERS, version
from bench._specimens.examine import STEPS, Found, Tool
from bench._specimens.setup import Case, SetUp, Severity

Words = dict[str, str]
"""Of each verdict: "SYMPTOM ...: CAUSE ..."."""

TORCHMORTEM: Words = {
    "Vanishing gradients detected": "vanishing-gradient: depth activation missing-normalisation",
    "Exploding gradients detected": "exploding-gradient: learning-rate initialisation missing-normalisation",
    "Gradient stalling": "vanishing-gradient frozen-parameters: initialisation depth",
    "Dead units": "dead-units: activation learning-rate initialisation missing-normalisation",
    "Activation saturation": "saturated-units: activation missing-normalisation learning-rate initialisation",
    "Update ratio too low": "no-learning frozen-parameters: learning-rate optimizer",
    "Update ratio too high": "oscillation loss-spike: learning-rate optimizer",
    "Training divergence detected": "loss-spike oscillation no-learning: learning-rate numerics",
    "Loss plateau detected": "no-learning: learning-rate optimizer",
    "Catapult phase detected": "loss-spike: learning-rate",
    "Edge of stability regime detected": "oscillation: learning-rate",
    "Rank collapse": "input-blind collapsed-output: regularisation learning-rate optimizer",
    "Weight norm explosion": "exploding-gradient: regularisation learning-rate",
    "Stagnant weight norms": "no-learning frozen-parameters: learning-rate training-loop",
    "Inter-layer weight norm imbalance": "other: optimizer missing-normalisation initialisation",
    "High gradient noise (low SNR)": "oscillation: batch-size optimizer learning-rate",
}
NEURALDBG: Words = {
    "gradient_health_transition: vanishing": "vanishing-gradient:",
    "gradient_health_transition: exploding": "exploding-gradient:",
    "gradient_health_transition: saturated": "vanishing-gradient saturated-units:",
    "activation_regime_shift: dead": "dead-units:",
    "activation_regime_shift: saturated": "saturated-units:",
    "activation_regime_shift: anomalous": "non-finite:",
    "optimizer_instability: loss_plateau": "no-learning:",
    "optimizer_instability: loss_spike": "loss-spike:",
    "optimizer_instability: diverging": "non-finite loss-spike:",
    "data_anomaly: nan_detected": "non-finite:",
    "data_anomaly: inf_detected": "non-finite:",
    "data_anomaly: distribution_shift": "unscaled-data oscillation:",
}
ARC: Words = {  # it names no cause, but it lowers the learning rate, and where that is in vain it says where to look
    "unrecoverable": "non-finite: numerics data-scale",
    "nan_loss": "non-finite: learning-rate",
    "nan_weights": "non-finite: learning-rate",
    "nan_gradients": "non-finite: learning-rate",
    "loss_explosion": "loss-spike exploding-gradient: learning-rate",
    "gradient_explosion": "exploding-gradient: learning-rate",
    "weight_sparsity_explosion": "dead-units: learning-rate",
    "weight_magnitude_collapse": "no-learning collapsed-output: learning-rate",
    "lyapunov_divergence": "oscillation loss-spike: learning-rate",
    "drift_detected": "loss-spike exploding-gradient accumulating-gradient: learning-rate",
}
MODEL_CLINIC: Words = {  # causes: what it prescribes
    "gradient_explosion": "exploding-gradient:",
    "gradient_vanishing": "vanishing-gradient:",
    "neuron_death": "dead-units: initialisation",
    "loss_spike": "loss-spike:",
    "weight_divergence": "exploding-gradient oscillation:",
    "layer_collapse": "input-blind collapsed-output dead-units:",
    "dead_neurons": "dead-units: initialisation",
    "exploding_norm": "exploding-gradient: initialisation",
    "vanishing_norm": "vanishing-gradient: initialisation",
    "saturated_weights": "saturated-units: initialisation",
    "nan_inf": "non-finite: numerics",
    "identical_rows": "input-blind no-learning: initialisation",
    "token_collapse": "collapsed-output:",
    "weight_corruption": "non-finite: numerics",
}
TORCH_AUDIT: Words = {
    "TA100": "non-finite: learning-rate numerics initialisation",
    "TA102": "exploding-gradient: learning-rate",
    "TA103": "dead-units frozen-parameters: initialisation",
    "TA104": "frozen-parameters: training-loop optimizer",
    "TA105": "dead-units: initialisation learning-rate activation",
    "TA301": "unscaled-data: data-scale",
    "TA302": "unscaled-data: data-scale",
    "TA304": "oscillation: batch-size",
    "TA401": "other: optimizer",
    "TA402": "other: regularisation",
    "TA403": "other: regularisation",
    "TA405": "dead-units: initialisation",
    "TA500": "frozen-parameters: training-loop",
}
TORCHDIAG: Words = {
    "exploding": "exploding-gradient:",
    "vanishing": "vanishing-gradient:",
    "gradient is None": "frozen-parameters: training-loop",
    "None gradients": "frozen-parameters: training-loop",
    "neurons dead": "dead-units: learning-rate initialisation data-scale",
    "not finite": "non-finite:",
    "No parameters changed": "frozen-parameters no-learning: training-loop",
}
MLDOCT: Words = {
    "exploding_gradients": "exploding-gradient loss-spike: learning-rate",
    "vanishing_gradients": "vanishing-gradient: depth activation missing-normalisation",
    "high_variance_batch": "oscillation: batch-size",
    "label_noise": "no-learning: training-loop",
    "lr_too_high": "oscillation loss-spike exploding-gradient: learning-rate",
    "lr_too_low": "no-learning: learning-rate",
    "missing_zero_grad": "accumulating-gradient: training-loop",
    "overfitting": "overfitting: regularisation",
    "underfitting": "no-learning: regularisation learning-rate",
    "Vanishing Gradients": "vanishing-gradient: missing-normalisation activation",
    "Exploding Gradients": "exploding-gradient: learning-rate",
    "Overfit Pinpointer": "overfitting: regularisation",
    "High Loss Volatility": "oscillation: learning-rate",
}
WORDS: dict[str, Words] = {
    "torchmortem": TORCHMORTEM,
    "neuraldbg": NEURALDBG,
    "arc-training": ARC,
    "model-clinic": MODEL_CLINIC,
    "torch-audit": TORCH_AUDIT,
    "torchdiag": TORCHDIAG,
    "mldoct": MLDOCT,
}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One way to read a tool: which severity each of its verdicts has; None leaves it out."""

    tool: str
    severity: Callable[[Said], Severity | None] = lambda said: said.severity

    def found(self, said: list[Said]) -> list[Found]:
        """The findings of the examination, in the tool's order."""
        return [
            found
            for one in said
            if (severity := self.severity(one)) is not None
            for found in _found(WORDS[self.tool].get(one.name, "other:"), severity, one.step)
        ]


def _found(words: str, severity: Severity, step: int | None) -> list[Found]:
    symptoms, causes = (tuple(part.split()) for part in words.split(":"))
    return [Found(symptom=name, severity=severity, causes=causes, step=step) for name in symptoms]


def critical(said: Said) -> Severity | None:
    """The gravest only."""
    return said.severity if said.severity == "critical" else None


def health_rule(said: Said) -> Severity | None:
    """Without the rules about speed and good practice."""
    return None if said.name.startswith(("TA2", "TA40")) and said.name != "TA405" else said.severity


def told(said: Said) -> Severity | None:
    """Notes count as warnings."""
    return "warning"


READINGS: dict[str, Reading] = {
    "torchmortem": Reading(tool="torchmortem"),
    "torchmortem, critical only": Reading(tool="torchmortem", severity=critical),
    "neuraldbg": Reading(tool="neuraldbg"),
    "arc-training": Reading(tool="arc-training"),
    "model-clinic": Reading(tool="model-clinic"),
    "model-clinic, errors only": Reading(tool="model-clinic", severity=critical),
    "torch-audit": Reading(tool="torch-audit"),
    "torch-audit, health rules": Reading(tool="torch-audit", severity=health_rule),
    "torchdiag": Reading(tool="torchdiag"),
    "mldoct": Reading(tool="mldoct"),
    "mldoct, insights too": Reading(tool="mldoct", severity=told),
}


def as_tool(reading: Reading) -> Tool:
    """The tool as `examine` takes one."""

    def use(setup: SetUp, case: Case, seed: int) -> list[Found]:
        return reading.found(look_on(OBSERVERS[reading.tool], setup, case, STEPS))

    return use


PEERS: dict[str, Tool] = {name: as_tool(reading) for name, reading in READINGS.items() if version(reading.tool)}
"""The readings of the tools that are installed."""
