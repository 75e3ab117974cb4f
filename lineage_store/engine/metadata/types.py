"""Types: created, extended, read. One implementation for the types of all three kinds."""

from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.database.transaction import Transaction
from lineage_store.engine.requests import bounded, non_empty_all, required, text
from lineage_store.engine.sizes import check_size
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION, KINDS, NodeKind, TypeMessage
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service

PutRequest = (
    service.PutArtifactTypeRequest
    | service.PutExecutionTypeRequest
    | service.PutContextTypeRequest
    | service.PutTypesRequest
)

_SYSTEM_NAMES = {name for kind in KINDS for name in kind.system_types.values()}


Writer = Callable[[Transaction, Any], Message]
Reader = Callable[[Snapshot, Any], Message]
"""Answers one kind of request; each has a message of its own."""


def put_type(kind: NodeKind) -> Writer:
    """Return the handler of PutArtifactType, PutExecutionType or PutContextType."""
    field = f"{kind.name}_type"
    response: type[Message] = getattr(service, f"Put{kind.name.title()}TypeResponse")

    def handler(tx: Transaction, request: Any) -> Message:
        _check_flags(request)
        message = required(request, field, "")
        return response(type_id=_put(tx, kind, message, field, request))

    return handler


def put_types(tx: Transaction, request: service.PutTypesRequest) -> service.PutTypesResponse:
    """Put types of all kinds, in the order artifact, execution, context."""
    _check_flags(request)
    response = service.PutTypesResponse()
    for kind in (ARTIFACT, EXECUTION, CONTEXT):
        ids = getattr(response, f"{kind.name}_type_ids")
        for at, message in enumerate(getattr(request, f"{kind.name}_types")):
            ids.append(_put(tx, kind, message, f"{kind.name}_types[{at}]", request))
    return response


def _check_flags(request: PutRequest) -> None:
    if not request.all_fields_match:
        raise errors.Unimplemented("all_fields_match=false is not supported")


def _put(
    tx: Transaction, kind: NodeKind, message: TypeMessage, field: str, request: PutRequest
) -> int:
    _check_message(message, field)
    stored = tx.types.find(kind, message.name, message.version)
    if stored is None:
        return _create(tx, kind, message, field)
    return _extend(tx, kind, stored.message, message, field, request)


def _check_message(message: TypeMessage, field: str) -> None:
    if not message.name:
        raise errors.InvalidArgument(f"{field}.name must not be empty")
    bounded(f"{field}.name", message.name)
    bounded(f"{field}.version", message.version)
    bounded(f"{field}.external_id", message.external_id)
    text(f"{field}.description", message.description)
    for name in sorted(message.properties):
        bounded(f"the name of a property of {field}", name)


def _check_property_types(message: TypeMessage, field: str) -> None:
    """Check that each property has a type; ML Metadata does so behind other checks."""
    unknown = [name for name, kind in message.properties.items() if kind == pb.UNKNOWN]
    if unknown:
        raise errors.InvalidArgument(f"{field}.properties: {_listed(unknown)} must not be UNKNOWN")


def _listed(names: Iterable[str]) -> str:
    """Return names in an order that is always the same: a map of protobuf has none."""
    return ", ".join(repr(name) for name in sorted(names))


def _create(tx: Transaction, kind: NodeKind, message: TypeMessage, field: str) -> int:
    new_type = kind.type_message()
    new_type.CopyFrom(message)
    new_type.DiscardUnknownFields()
    for optional in ("version", "external_id"):
        if not getattr(new_type, optional):
            new_type.ClearField(optional)
    _check_external_id(tx, new_type.external_id, None)
    _check_property_types(new_type, field)
    _check_base_type(new_type, new_type, field)
    new_type.id = tx.new_id("types")
    check_size(tx, new_type.ByteSize(), field, new_type)
    tx.types.put(kind, new_type, new=True)
    return int(new_type.id)


def _extend(
    tx: Transaction,
    kind: NodeKind,
    stored: TypeMessage,
    message: TypeMessage,
    field: str,
    request: PutRequest,
) -> int:
    """Add the new properties; nothing is ever removed from a type."""
    _check_evolution(stored, message, field, request)
    _check_property_types(message, field)
    extended_type = kind.type_message()
    extended_type.CopyFrom(stored)
    extended_type.properties.update(message.properties)
    if message.HasField("base_type"):
        extended_type.base_type = message.base_type
    if message.external_id and message.external_id != stored.external_id:
        _check_external_id(tx, message.external_id, stored.id)
        extended_type.external_id = message.external_id
    _check_base_type(stored, message, field)
    _check_base_cycle(tx, kind, extended_type, field)
    if extended_type != stored:
        check_size(tx, extended_type.ByteSize(), field, extended_type)
        tx.types.put(kind, extended_type, new=False)
    return int(stored.id)


def _check_evolution(
    stored: TypeMessage, message: TypeMessage, field: str, request: PutRequest
) -> None:
    properties, stored_properties = message.properties, stored.properties
    common_names = [name for name in properties if name in stored_properties]
    changed = [name for name in common_names if properties[name] != stored_properties[name]]
    if changed:
        raise errors.AlreadyExists(
            f"{field}.properties: {_listed(changed)} stored with another kind of value"
        )
    added = [name for name in properties if name not in stored_properties]
    if added and not request.can_add_fields:
        raise errors.AlreadyExists(
            f"{field}.properties: {_listed(added)} not in the stored type; "
            "set can_add_fields to add"
        )
    omitted = [name for name in stored_properties if name not in properties]
    if omitted and not request.can_omit_fields:
        raise errors.AlreadyExists(
            f"{field}.properties: {_listed(omitted)} in the stored type are missing; "
            "set can_omit_fields to leave them out"
        )


def _check_base_type(stored: TypeMessage, message: TypeMessage, field: str) -> None:
    if not message.HasField("base_type"):
        return
    if message.base_type == 0:
        raise errors.Unimplemented(f"{field}.base_type can't be UNSET")
    if stored.HasField("base_type") and stored.base_type != message.base_type:
        raise errors.Unimplemented(f"{field}.base_type can't be changed once it is set")


def _check_base_cycle(tx: Transaction, kind: NodeKind, extended: TypeMessage, field: str) -> None:
    """Check that no system type comes to refine itself, be it through others."""
    base = extended.base_type
    for _ in kind.system_types:
        if not base:
            return
        system = tx.types.find(kind, kind.system_types[base], "")
        if system is None or system.message.id == extended.id:
            raise errors.InvalidArgument(f"{field}.base_type would make the type refine itself")
        base = system.message.base_type


def _check_external_id(tx: Transaction, external_id: str, own_id: int | None) -> None:
    if external_id and tx.types.holder_of_external_id(external_id) not in {None, own_id}:
        raise errors.AlreadyExists(f"external_id {external_id!r} is that of another type")


def get_type(kind: NodeKind) -> Reader:
    """Return the handler of GetArtifactType, GetExecutionType or GetContextType."""
    response: type[Message] = getattr(service, f"Get{kind.name.title()}TypeResponse")

    def handler(snapshot: Snapshot, request: Any) -> Message:
        stored_type = snapshot.types.find(kind, request.type_name, request.type_version)
        if stored_type is None:
            version = f" and version {request.type_version!r}" if request.type_version else ""
            raise errors.NotFound(
                f"there is no {kind.name} type named {request.type_name!r}{version}"
            )
        return response(**{f"{kind.name}_type": stored_type.message})

    return handler


def get_types(kind: NodeKind) -> Reader:
    """Return the handler of GetArtifactTypes, GetExecutionTypes or GetContextTypes."""
    response: type[Message] = getattr(service, f"Get{kind.name.title()}TypesResponse")
    hidden = _SYSTEM_NAMES if kind.system_types else set()

    def handler(snapshot: Snapshot, _request: Message) -> Message:
        messages = [message for message in snapshot.types.all(kind) if message.name not in hidden]
        return response(**{f"{kind.name}_types": messages})

    return handler


def get_types_by_id(kind: NodeKind) -> Reader:
    """Return the handler of Get*TypesByID: in the order asked for, unknown ids skipped."""
    response: type[Message] = getattr(service, f"Get{kind.name.title()}TypesByIDResponse")

    def handler(snapshot: Snapshot, request: Any) -> Message:
        types_by_id = snapshot.types.by_ids(request.type_ids)
        stored_types = [types_by_id[i] for i in request.type_ids if i in types_by_id]
        messages = [stored_type.message for stored_type in stored_types if stored_type.kind is kind]
        return response(**{f"{kind.name}_types": messages})

    return handler


def get_types_by_external_ids(kind: NodeKind) -> Reader:
    """Return the handler of Get*TypesByExternalIds."""
    response: type[Message] = getattr(service, f"Get{kind.name.title()}TypesByExternalIdsResponse")

    def handler(snapshot: Snapshot, request: Any) -> Message:
        external_ids = non_empty_all("external_ids", request.external_ids)
        stored_types = snapshot.types.by_external_ids(external_ids)
        messages = [bare_type(t.kind, t.message) for t in stored_types if t.kind is kind]
        if external_ids and not messages:
            raise errors.NotFound(f"no {kind.name} type has one of these external ids")
        return response(**{f"{kind.name}_types": messages})

    return handler


def bare_type(kind: NodeKind, message: TypeMessage) -> Any:
    """Return a type as ML Metadata answers it beside nodes and by external id.

    It leaves out the base type, and the input and output types of an execution type.
    """
    bare = kind.type_message()
    bare.CopyFrom(message)
    for field in ("base_type", "input_type", "output_type"):
        if field in bare.DESCRIPTOR.fields_by_name:
            bare.ClearField(field)
    return bare
