import pytest
import torch
from torch import nn
from torch.nn import functional

from evenkeel import heads, losses, nets
from evenkeel.errors import RequestError
from evenkeel.heads.match import check_model, check_output, expects_of, last_module, last_operation
from evenkeel.network import Network


@pytest.mark.parametrize("name", losses.PARTS)
def test_our_losses_are_known_by_name_function_and_module(name):
    module = getattr(losses, "".join(word.capitalize() for word in name.split("_")) + "Loss")
    expected = losses.PARTS[name].expects
    assert expects_of(name) == expects_of(losses.PARTS[name].call) == expects_of(module()) == expected


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (nn.CrossEntropyLoss(), ("logits",)),
        (functional.cross_entropy, ("logits",)),
        (nn.NLLLoss(), ("log-probability",)),
        (nn.BCELoss(), ("probability",)),
        (nn.BCEWithLogitsLoss(), ("binary-logits",)),
        (nn.HuberLoss(), ("value",)),
        (nn.PoissonNLLLoss(), ("log-rate",)),
        (nn.PoissonNLLLoss(log_input=False), ("value",)),
        (lambda output, target: output.sum(), ()),
    ],
)
def test_torchs_losses_are_known_and_others_are_not(loss, expected):
    assert expects_of(loss) == expected


def test_the_last_module_of_nested_models():
    last = nn.Softmax(-1)
    assert last_module(nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU(), last, nn.Dropout(0.1)))) is last
    alone = nn.ModuleList([nn.Sequential(last)])
    assert last_module(alone) is last
    assert last_module(nets.MLP(2)).__class__ is nets.MLP, "of several children nobody knows which is the last"
    empty = nn.Sequential(nn.Identity())
    assert last_module(empty) is empty


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda x: x.softmax(-1), "softmax"),
        (lambda x: functional.log_softmax(x, -1), "log-softmax"),
        (lambda x: x.sigmoid().reshape(-1).unsqueeze(0), "sigmoid"),
        (lambda x: functional.logsigmoid(x).T.clone(), "log-sigmoid"),
        (lambda x: functional.softplus(x).double(), "softplus"),
        (lambda x: x.relu().squeeze(), "relu"),
        (lambda x: x.softmax(-1) * 2, None),
        (lambda x: x, None),
        (lambda x: x.detach().softmax(-1), None),
    ],
)
def test_the_last_operation_is_read_from_the_graph(make, expected):
    assert last_operation(make(torch.randn(3, 4, requires_grad=True))) == expected


WRONG = [
    (
        "cross_entropy",
        nn.Softmax(-1),
        "ends in softmax, and loss 'cross_entropy' expects logits: the loss does that its",
    ),
    ("cross_entropy", nn.LogSoftmax(-1), "ends in log-softmax, and loss 'cross_entropy' expects logits"),
    ("cross_entropy", nn.Sigmoid(), "ends in sigmoid, and loss 'cross_entropy' expects logits.*take the sigmoid away"),
    ("binary_cross_entropy", nn.Sigmoid(), "ends in sigmoid, and loss 'binary_cross_entropy' expects binary-logits"),
    ("binary_cross_entropy", nn.LogSigmoid(), "ends in log-sigmoid"),
    ("focal", nn.Sigmoid(), "loss 'focal' expects logits or binary-logits"),
    ("nll", nn.Softmax(-1), "expects log-probability: the loss takes their logarithm: use log_softmax"),
    ("poisson_nll", nn.Softplus(), "expects log-rate: the loss takes the logarithm of the rate, any number"),
    (nn.CrossEntropyLoss(), nn.Softmax(-1), "loss 'CrossEntropyLoss' expects logits"),
    (losses.FocalLoss(), nn.Softmax(-1), "loss 'focal' expects logits or binary-logits"),
]


@pytest.mark.parametrize(("loss", "ending", "message"), WRONG)
def test_a_wrong_ending_is_refused_by_module_and_by_graph(loss, ending, message):
    model = nn.Sequential(nn.Linear(3, 3), ending)
    with pytest.raises(RequestError, match="the model .*" + message):
        check_model(model, loss)
    with pytest.raises(RequestError, match="the output .*" + message):
        check_output(model(torch.zeros(2, 3)), loss)


@pytest.mark.parametrize(
    ("loss", "ending"),
    [
        ("mse", nn.Sigmoid()),
        ("cross_entropy", nn.ReLU()),
        ("nll", nn.LogSoftmax(-1)),
        (nn.BCELoss(), nn.Sigmoid()),
        (nn.NLLLoss(), nn.LogSoftmax(-1)),
        (lambda output, target: output.sum(), nn.Softmax(-1)),
        ("cross_entropy", nn.Linear(3, 3)),
    ],
)
def test_a_right_ending_passes(loss, ending):
    model = nn.Sequential(nn.Linear(3, 3), ending)
    check_model(model, loss)
    check_output(model(torch.zeros(2, 3)), loss)


class Own(nn.Module):
    """A net that ends in a functional softmax."""

    def __init__(self):
        super().__init__()
        self.map = nn.Linear(4, 8)

    def forward(self, x):
        return functional.softmax(self.map(x), dim=-1)


@pytest.mark.parametrize(
    "net", [nn.Sequential(nn.Linear(4, 8), nn.Softmax(-1)), nn.Sequential(nn.Linear(4, 8), nn.LogSoftmax(-1)), Own()]
)
@pytest.mark.parametrize("kind", ["single", "multi", "tokens"])
def test_a_network_whose_net_ends_in_a_softmax_is_refused_before_the_first_step(net, kind):
    head = {
        "single": lambda: heads.SingleLabel(8, classes=3),
        "multi": lambda: heads.MultiLabel(8, labels=3),
        "tokens": lambda: heads.Tokens(8, vocabulary=3),
    }[kind]()
    target = torch.zeros(5, 3) if kind == "multi" else torch.zeros(5, dtype=torch.int64)
    with pytest.raises(RequestError, match=r"the net ends in (log-)?softmax, and loss .* take the (log-)?softmax away"):
        Network(net, head).loss(torch.randn(5, 4), target)


def test_a_sigmoid_is_refused_where_it_looks_like_an_output_and_not_in_a_hidden_layer():
    target = torch.zeros(5, dtype=torch.int64)
    narrow = Network(nn.Sequential(nn.Linear(4, 3), nn.Sigmoid()), heads.SingleLabel(3, classes=3))
    with pytest.raises(RequestError, match="the net ends in sigmoid"):
        narrow.loss(torch.randn(5, 4), target)
    wide = Network(nn.Sequential(nn.Linear(4, 8), nn.Sigmoid()), heads.SingleLabel(8, classes=3))
    assert wide.loss(torch.randn(5, 4), target).isfinite()
    assert Network(Own(), heads.Value(8)).loss(torch.randn(5, 4), torch.zeros(5)).isfinite(), "no logits are expected"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: heads.MultiLabel(4, labels=2, loss=nn.CrossEntropyLoss()),
            "CrossEntropyLoss expects logits, the head",
        ),
        (
            lambda: heads.SingleLabel(4, classes=2, loss=nn.NLLLoss()),
            "NLLLoss expects log-probability, .* gives logits",
        ),
        (lambda: heads.MultiLabel(4, labels=2, loss=nn.BCELoss()), "expects probability, .*fit: binary_cross_entropy"),
        (lambda: heads.SingleLabel(4, classes=2, loss=functional.mse_loss), "mse_loss expects value"),
        (lambda: heads.Gaussian(4, loss=nn.MSELoss()), "MSELoss expects value, .* gives gaussian; .*fit: gaussian_nll"),
        (lambda: heads.Gaussian(4, loss=nn.GaussianNLLLoss()), "expects mean-and-variance"),
        (lambda: heads.Positive(4, loss=nn.PoissonNLLLoss()), "expects log-rate, .* gives value"),
    ],
)
def test_a_loss_of_torch_that_takes_something_else_is_refused(make, message):
    with pytest.raises(RequestError, match=message):
        make()


def test_a_loss_of_torch_that_fits_is_taken():
    head = heads.SingleLabel(4, classes=3, loss=nn.CrossEntropyLoss())
    logits, target = torch.randn(5, 3), torch.tensor([0, 1, 2, 0, 1])
    torch.testing.assert_close(head.loss(logits, target), functional.cross_entropy(logits, target))
    assert heads.Tokens(4, vocabulary=3, loss=nn.MultiMarginLoss()).loss_text == "MultiMarginLoss (given)"
