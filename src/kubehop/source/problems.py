"""Why a value does not fit its type, in the words of who wrote it.

The fast decoders only say that something is wrong. Here the one offending object is decoded
again without types, so that the message can show the field, what belongs there and what is there.
"""

import json
import re
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from kubehop.model.errors import InputError
from kubehop.source.documents import Document
from kubehop.source.scalars import integer
from kubehop.source.text import template_hint

T = TypeVar("T")

_AT = re.compile(r"(.*?)(?: - at `\$(.*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`")
_VALUE = 60
_NAME = 350
_STRING_MAPS = frozenset({"labels", "matchLabels", "nodeSelector", "selector", "data"})
_NO_STRINGS = frozenset({"matchLabels", "matchExpressions"})


def decode_again(
    raw: Document, target: type[T], *, path: str = "", kind: str = "", namespace: str = ""
) -> T:
    """Decode what a typed decoder refused, null being the same as absent, as in the API.

    Raises InputError that names the object (a `kind`, in `namespace` if it names none) and the
    field below `path`.
    """
    try:
        value = _without_nulls(_untyped(raw), "")
    except RecursionError as error:
        raise InputError("nested too deeply", object=kind, field=path) from error
    except ValueError as error:
        raise InputError(f"not JSON in UTF-8: {error}", object=kind, field=path) from error
    try:
        return msgspec.convert(value, target)
    except msgspec.ValidationError as error:
        field, problem = _explain(str(error), inspect.type_info(target), value)
        raise InputError(
            problem, object=_reference(kind, value, namespace), field=below(path, field)
        ) from error


def placed(error: InputError, file: str) -> InputError:
    """The error with its file, with what no object's name may do to a line, and with advice."""
    error.file = file
    error.object, error.field = cut(error.object), cut(error.field)
    error.problem += template_hint(error.problem)
    return error


def below(path: str, field: str) -> str:
    """The path of `field` of what is at `path`: "items[3].spec"."""
    return path + field if field.startswith("[") or not path or not field else f"{path}.{field}"


def _untyped(raw: Document) -> Any:
    """Unlike msgspec, the standard library reads numbers of any size and half characters.

    The latter must not get through: nothing could write them again.
    """
    text = str(memoryview(raw), "utf-8")
    value = json.loads(text, parse_int=integer)
    msgspec.json.encode(value)
    return value


def _without_nulls(value: Any, parent: str) -> Any:
    """Without the keys that are null; in a map of strings Kubernetes reads null as ""."""
    if type(value) is list:
        return [_without_nulls(entry, "") for entry in value]
    if type(value) is not dict:
        return value
    strings = parent in _STRING_MAPS
    return {
        key: "" if entry is None else _without_nulls(entry, key)
        for key, entry in value.items()
        if entry is not None or (strings and key not in _NO_STRINGS)
    }


def _reference(kind: str, value: Any, namespace: str) -> str:
    """The object's reference as far as it can be told; "" without a kind."""
    metadata = value.get("metadata") if isinstance(value, dict) else None
    if not kind or not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        return kind
    own = metadata.get("namespace")
    scope = own if isinstance(own, str) and own else namespace
    return f"{kind} {scope}/{metadata['name']}" if scope else f"{kind} {metadata['name']}"


def _explain(message: str, target: inspect.Type, value: Any) -> tuple[str, str]:
    """The field and the problem of a message of msgspec."""
    match = _AT.fullmatch(message)
    said, path = (match[1], match[2] or "") if match else (message, "")
    field, expected, found = _walk(path, target, value)
    if missing := _MISSING.fullmatch(said):
        return below(field, missing[1]), _missing(missing[1], found)
    return field, f"expected {_expected(expected)}, got {_got(expected, found)}"


def _missing(field: str, found: Any) -> str:
    generated = found.get("generateName") if isinstance(found, dict) else None
    if field != "name" or generated is None:
        return "required, but missing"
    return f"required, but there is only generateName {show(generated)}"


def _walk(path: str, target: inspect.Type, value: Any) -> tuple[str, inspect.Type, Any]:
    """Follow msgspec's path; `[...]` is the first value of a map that is no string."""
    field = ""
    while path:
        target = _present(target)
        if isinstance(target, inspect.StructType):
            step = _longest_field(path, target)
            name, target = step.encode_name, step.type
            path = path[1 + len(name) :]
            field, value = below(field, name), value.get(name)
            continue
        inside, _, path = path[1:].partition("]")
        if isinstance(target, inspect.DictType):
            name = next(key for key, entry in value.items() if not isinstance(entry, str))
            field, value, target = f"{field}[{show(name)}]", value[name], target.value_type
        else:
            assert isinstance(target, inspect.VarTupleType | inspect.ListType)
            field, value, target = f"{field}[{inside}]", value[int(inside)], target.item_type
    return field, _present(target), value


def _longest_field(path: str, target: inspect.StructType) -> inspect.Field:
    """The field that `path` begins with; an annotation's name has dots in it."""
    fields = (f for f in target.fields if path.startswith(f".{f.encode_name}"))
    return max(fields, key=lambda field: len(field.encode_name))


def _present(target: inspect.Type) -> inspect.Type:
    """The type without the null that every optional field allows."""
    if not isinstance(target, inspect.UnionType):
        return target
    types = tuple(t for t in target.types if not isinstance(t, inspect.NoneType))
    return types[0] if len(types) == 1 else inspect.UnionType(types)


def _expected(target: inspect.Type) -> str:
    match target:
        case inspect.IntType(ge=int(low), le=int(high)):
            return f"int between {low} and {high}"
        case inspect.IntType(ge=int(low)):
            return f"int of at least {low}"
        case inspect.LiteralType(values=values):
            return _either([show(value) for value in values if value != ""])
        case inspect.UnionType(types=types):
            return _either([_expected(each) for each in types])
        case inspect.VarTupleType() | inspect.ListType():
            return "list"
        case inspect.StructType() | inspect.DictType():
            return "object"
    return type(target).__name__.removesuffix("Type").lower()


def _either(words: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _got(expected: inspect.Type, value: Any) -> str:
    """The value with its type, unless the type is right and only the value is wrong."""
    match expected, value:
        case _, None:
            return "null"
        case _, dict():
            return "object"
        case _, list():
            return "list"
        case (inspect.IntType(), int()) | (inspect.LiteralType(), str()) if value is not True:
            return show(value)
    return f"{type(value).__name__} {show(value)}"


def show(value: Any) -> str:
    """A value as JSON, cut to what fits a line."""
    if isinstance(value, str):
        value = value[: _VALUE + 1]
    return cut(json.dumps(value, ensure_ascii=False), _VALUE)


def cut(text: str, longest: int = _NAME) -> str:
    """`text`, or its beginning if it is longer than any name of an object."""
    return text if len(text) <= longest else f"{text[:longest]}..."
