"""Prints, as JSON, the public names of ml_metadata, or of a module that claims to be like it.

python mlmd_surface.py MODULE
"""

import importlib
import inspect
import json
import sys


def signature(function) -> list[list[str]]:
    parameters = inspect.signature(function).parameters.values()
    return [[p.name, p.kind.name, repr(p.default)] for p in parameters]


def public(namespace) -> list[str]:
    return sorted(name for name in dir(namespace) if not name.startswith("_"))


def methods(cls) -> dict[str, object]:
    members = {name: inspect.getattr_static(cls, name) for name in public(cls)}
    signatures = {
        name: signature(member) if inspect.isfunction(member) else type(member).__name__
        for name, member in members.items()
    }
    return {"__init__": signature(cls.__init__), **signatures}


def exceptions(errors) -> dict[str, object]:
    classes = {
        name: cls
        for name, cls in vars(errors).items()
        if inspect.isclass(cls) and issubclass(cls, errors.StatusError) and name[0] != "_"
    }
    return {name: signature(cls) for name, cls in sorted(classes.items())}


def surface(module: str) -> dict[str, object]:
    mlmd = importlib.import_module(module)
    errors = importlib.import_module(f"{module}.errors")
    store = importlib.import_module(f"{module}.metadata_store.metadata_store")
    types = importlib.import_module(f"{module}.metadata_store.mlmd_types")
    concrete = ["Dataset", "Model", "Statistics", "Metrics"]
    concrete += ["Train", "Transform", "Process", "Evaluate", "Deploy"]
    codes = {name: value for name, value in vars(errors).items() if isinstance(value, int)}
    return {
        "names": sorted(mlmd.__all__),
        "same objects": [getattr(store, name) is getattr(mlmd, name) for name in mlmd.__all__[:4]],
        "messages": sorted(name for name in mlmd.proto.__all__ if not name.endswith("_pb2")),
        "MetadataStore": methods(mlmd.MetadataStore),
        "ListOptions": signature(mlmd.ListOptions),
        "ListOptions repr": repr(mlmd.ListOptions(5, order_by=mlmd.OrderByField.ID)),
        "OrderByField": {field.name: field.value for field in mlmd.OrderByField},
        "ExtraOptions": signature(store.ExtraOptions.__init__),
        "downgrade_schema": signature(mlmd.downgrade_schema),
        "exceptions": exceptions(errors),
        "codes": codes,
        "class of code": {
            code: errors.exception_type_from_error_code(code).__name__ for code in range(1, 17)
        },
        "make_exception": [
            [type(error).__name__, error.message, error.error_code, str(error)]
            for error in (errors.make_exception("text", code) for code in (*range(1, 17), 77))
        ],
        "system types": {
            name: [getattr(types, name)().name, int(getattr(types, name)().system_type)]
            for name in concrete
        },
    }


if __name__ == "__main__":
    print(json.dumps(surface(sys.argv[1])))
