"""PyTorch: tensors by data type, shape, device and elements; modules by class and all they hold.

A module counts by its parameters, buffers and modules, whether it trains, and its other attributes;
and by which of its parameters are one. The methods of its class are code.
"""

from collections.abc import Iterator
from typing import Any

from lineage_store.fingerprints.instances import attributes_of
from lineage_store.fingerprints.walk import Part, Walk, tagged


def parts(torch: Any, value: Any, walk: Walk) -> Iterator[Part] | None:
    """Return the parts of a value of PyTorch; None: its type is unknown."""
    if isinstance(value, torch.Tensor):
        return _tensor(torch, value, walk)
    if isinstance(value, torch.nn.Module):
        return _module(value, walk)
    if isinstance(value, torch.optim.Optimizer):
        return walk.tokens([value.state_dict(), value.defaults])
    if isinstance(value, torch.Generator):
        return walk.tokens([str(value.device), value.initial_seed(), value.get_state()])
    kinds = (torch.dtype, torch.device, torch.layout, torch.memory_format)
    return walk.tokens([str(value)]) if isinstance(value, kinds) else None


def _tensor(torch: Any, value: Any, walk: Walk) -> Iterator[Part]:
    yield walk.token((str(value.dtype), tuple(value.shape), str(value.layout)))
    yield walk.token((str(value.device), value.requires_grad))
    yield walk.token(value.grad if value.is_leaf else None)
    yield walk.token(dict(vars(value)))
    plain = value.detach()
    if plain.is_quantized:
        yield walk.token((str(plain.qscheme()), plain.q_scale(), plain.q_zero_point()))
        yield walk.token(plain.int_repr())
    elif plain.layout == torch.strided:
        yield from _elements(torch, plain, walk)
    else:
        plain = plain.to_sparse_coo().coalesce()
        yield from walk.tokens([plain.indices(), plain.values()])


def _elements(torch: Any, plain: Any, walk: Walk) -> Iterator[Part]:
    """Yield the strides, since they decide how sums are rounded, and the bytes of the elements."""
    yield walk.token(plain.is_contiguous() or tuple(plain.stride()))
    on_cpu = plain.cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
    yield on_cpu.view(torch.uint8).numpy().data if on_cpu.numel() else b""


def _module(value: Any, walk: Walk) -> Iterator[Part]:
    attributes = attributes_of(value)
    # Of the many places for hooks most are empty, and which there are differs between versions.
    own_attributes = {
        name: part for name, part in attributes.items() if not _is_empty_hook(name, part)
    }
    yield tagged("state", walk.pairs(sorted(own_attributes.items())))
    first: dict[int, str] = {}
    for name, parameter in value.named_parameters(remove_duplicate=False):
        yield walk.token(first.setdefault(id(parameter), name))


def _is_empty_hook(name: str, part: object) -> bool:
    return "hook" in name and hasattr(part, "__len__") and len(part) == 0
