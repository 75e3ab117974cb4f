"""Fingerprints of PyTorch's objects: tensors, modules, optimizers, generators."""

import enum
import importlib.util
import pickle
from itertools import combinations
from typing import Any

import pytest

from lineage_store.errors import InvalidArgument
from lineage_store.fingerprints import fingerprint


def all_differ(values: list[Any]) -> None:
    for one, other in combinations(values, 2):
        assert fingerprint(one) != fingerprint(other), (one, other)


def stays(value: Any) -> None:
    """Check that a value is the same after a journey."""
    assert fingerprint(value) == fingerprint(pickle.loads(pickle.dumps(value)))


HAS_TORCH = importlib.util.find_spec("torch") is not None
needs_torch = pytest.mark.skipif(
    not HAS_TORCH,
    reason="PyTorch is too large for the environment of the tests; install it to run this",
)


class Mode(enum.Enum):
    FAST = "fast"


@needs_torch
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
def test_tensors() -> None:
    import torch  # noqa: PLC0415

    plain = torch.arange(6.0).reshape(2, 3)
    all_differ(
        [
            plain,
            plain.double(),
            plain.bfloat16(),
            plain.reshape(3, 2),
            plain.T.contiguous().T,
            plain.clone().requires_grad_(),
            torch.nn.Parameter(plain),
            plain.to_sparse(),
            plain.to_sparse_csr(),
            torch.tensor(1.0),
            torch.tensor([1.0]),
            torch.empty(0),
            plain.bool(),
            plain.to(torch.complex64),
            plain.numpy(),
            torch.float32,
            torch.float64,
            torch.device("cpu"),
            torch.Size([1]),
            (1,),
        ]
    )
    assert fingerprint(plain) == fingerprint(plain.clone())
    assert fingerprint(plain[:, :2]) != fingerprint(plain[:, 1:])
    for value in (plain, plain.bfloat16(), torch.nn.Parameter(plain), plain.to_sparse()):
        stays(value)
    one, other = torch.Generator(), torch.Generator()
    for generator in (one, other):
        generator.manual_seed(3)
    assert fingerprint(one) == fingerprint(other)
    torch.rand(1, generator=other)
    assert fingerprint(one) != fingerprint(other)


@needs_torch
def test_modules() -> None:
    import torch  # noqa: PLC0415
    from torch import nn  # noqa: PLC0415

    def build(**changes: Any) -> Any:
        torch.manual_seed(0)
        module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.BatchNorm1d(3), nn.Dropout(0.5))
        for name, value in changes.items():
            setattr(module, name, value)
        return module

    trained = build()
    with torch.no_grad():
        trained[0].weight += 1
    dropped = build()
    dropped[3].p = 0.1
    tied, apart = (nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)) for _ in range(2))
    apart.load_state_dict(tied.state_dict())
    for pair in (tied, apart):
        pair[1].load_state_dict(pair[0].state_dict())
    tied[1].weight = tied[0].weight
    all_differ([build(), build().eval(), trained, dropped, build(mode=Mode.FAST), tied, apart])
    assert fingerprint(build()) == fingerprint(build())
    assert fingerprint(build().state_dict()) == fingerprint(build().state_dict())
    stays(build())
    optimizers = [torch.optim.SGD(build().parameters(), lr=rate) for rate in (0.1, 0.1, 0.2)]
    assert fingerprint(optimizers[0]) == fingerprint(optimizers[1]) != fingerprint(optimizers[2])
    hooked = build()
    hooked.register_forward_hook(lambda *_: None)
    with pytest.raises(InvalidArgument, match="has no fingerprint"):
        fingerprint(hooked)
