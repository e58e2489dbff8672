"""What each recorded operation is to the chain: a contraction with weights, a norm, an activation, a view, a pool.

Names are those of torch's operators (`aten::addmm` is `addmm`; the `_` of an in-place form is dropped), so functional,
modular and in-place code look alike. An operation that is in no list is simply an `operation`: measured, no theory.
"""

from functools import lru_cache
from typing import Any, Literal, NamedTuple

Kind = Literal[
    "linear", "convolution", "embedding", "recurrent", "norm", "activation", "view", "elementwise", "dropout",
    "pool", "spread", "attention", "join", "factory", "operation",
]  # fmt: skip


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


LINEAR = _names("mm addmm bmm baddbmm addbmm mv addmv dot linear _trilinear _sparse_mm mkldnn_linear")
CONVOLUTION = _names("convolution _convolution convolution_overrideable mkldnn_convolution")
EMBEDDING = _names("embedding _embedding_bag embedding_bag")
RECURRENT = _names("mkldnn_rnn_layer _cudnn_rnn miopen_rnn _thnn_fused_lstm_cell _thnn_fused_gru_cell")
BATCH_NORM = _names(
    "native_batch_norm cudnn_batch_norm miopen_batch_norm _native_batch_norm_legit _batch_norm_with_update "
    "_batch_norm_no_update batch_norm"
)
ROW_NORM = _names("native_layer_norm layer_norm _fused_rms_norm rms_norm")
NORM = BATCH_NORM | ROW_NORM | _names("native_group_norm group_norm")
ACTIVATION = _names(
    "relu leaky_relu elu celu gelu silu sigmoid tanh softplus hardtanh hardswish hardsigmoid mish log_sigmoid_forward "
    "threshold rrelu_with_noise _prelu_kernel relu6 selu softshrink hardshrink glu sin cos"
)
VIEW = _names(
    "view _unsafe_view reshape _reshape_alias t transpose permute unsqueeze squeeze clone contiguous alias "
    "detach _to_copy to slice select split unsafe_split split_with_sizes unsafe_split_with_sizes unbind chunk flatten "
    "unflatten as_strided lift_fresh constant_pad_nd movedim swapaxes narrow view_as _conj copy pixel_shuffle "
    "pixel_unshuffle roll flip reflection_pad1d reflection_pad2d replication_pad1d replication_pad2d"
)
ELEMENTWISE = _names(
    "add sub rsub mul div neg pow sqrt rsqrt reciprocal exp expm1 log log1p erf abs sign clamp clamp_min clamp_max "
    "minimum maximum where square addcmul addcdiv lerp masked_fill floor round nan_to_num"
)
POOL = _names(
    "max_pool2d_with_indices max_pool3d_with_indices max_pool2d avg_pool2d avg_pool3d _adaptive_avg_pool2d "
    "_adaptive_avg_pool3d adaptive_max_pool2d adaptive_max_pool3d mean amax max mkldnn_max_pool2d"
)
ATTENTION = _names(
    "_scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_flash_attention "
    "_scaled_dot_product_attention_math _scaled_dot_product_efficient_attention scaled_dot_product_attention "
    "_scaled_dot_product_cudnn_attention _scaled_dot_product_fused_attention_overrideable"
)
JOIN = _names("cat stack")
SPREAD = _names("expand repeat repeat_interleave")
"""Copies of one value: gradients add up. They belong to what they are made for, the next layer."""
FACTORY = _names(
    "empty_like zeros_like ones_like full_like rand_like randn_like randint_like new_empty new_zeros new_ones new_full "
    "new_empty_strided bernoulli"
)
SATURATING = _names("tanh sigmoid hardtanh hardsigmoid")
SAVES_RESULT = _names("relu tanh sigmoid")
"""Activations whose backward keeps the output only: holding on to their input would cost memory."""

_KINDS: tuple[tuple[frozenset[str], Kind], ...] = (
    (LINEAR, "linear"),
    (CONVOLUTION, "convolution"),
    (EMBEDDING, "embedding"),
    (RECURRENT, "recurrent"),
    (NORM, "norm"),
    (ACTIVATION, "activation"),
    (VIEW, "view"),
    (ELEMENTWISE, "elementwise"),
    (POOL, "pool"),
    (ATTENTION, "attention"),
    (JOIN, "join"),
    (SPREAD, "spread"),
    (FACTORY, "factory"),
    (frozenset(["native_dropout"]), "dropout"),
)


class Described(NamedTuple):
    """An operator's plain name, its kind, and which arguments it writes to, by position and name."""

    name: str
    kind: Kind
    writes: tuple[tuple[int, str], ...]
    alias: bool
    """Whether all that it returns is another look at its argument's memory."""


def kind_of(name: str) -> Kind:
    """The kind of an operation by its plain name.

    Example:
        >>> kind_of("addmm"), kind_of("relu"), kind_of("some_new_operator")
        ('linear', 'activation', 'operation')
    """
    for names, kind in _KINDS:
        if name in names:
            return kind
    return "operation"


@lru_cache(maxsize=4096)
def describe(function: Any) -> Described:
    """Name, kind and written arguments of a torch operator, read once from its schema."""
    schema = function._schema
    plain = schema.name.split("::")[-1]
    stripped = plain.rstrip("_") or plain
    writes = tuple((i, a.name) for i, a in enumerate(schema.arguments) if _is_written(a))
    alias = all(one.alias_info is not None and not one.alias_info.is_write for one in schema.returns)
    return Described(stripped, kind_of(stripped), writes, alias and bool(schema.returns))


def _is_written(argument: Any) -> bool:
    """Whether an operator writes to an argument; batch norms do so to their averages without saying so."""
    alias = argument.alias_info
    return argument.name in ("running_mean", "running_var") or (alias is not None and alias.is_write)
