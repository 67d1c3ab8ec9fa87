"""JSON Merge Patch (RFC 7396) of a row: merged with what is stored, then checked as a whole."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlmodel import SQLModel

from app.kit.errors import Invalid, field_error


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396: objects merge member by member, null removes, everything else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        # A null becomes None instead of vanishing: the schema says whether a field may be empty.
        merged[name] = None if value is None else merge_patch(merged.get(name), value)
    return merged


def storable(value: Any) -> Any:
    """Nested models as the JSON that their column holds; all else unchanged."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list):
        return [storable(item) for item in value]
    return value


def column_values(model: BaseModel, *, exclude: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The fields of a body as the values of their columns."""
    return {
        name: storable(getattr(model, name))
        for name in type(model).model_fields
        if name not in exclude
    }


def patched_values(base: type[BaseModel], row: object, patch: BaseModel) -> dict[str, Any]:
    """What the row's fields are after the patch. `base` holds the rules that span several fields.

    `row` is a row, or a mapping where a body gathers the fields of several rows.
    Raises `Invalid` with a pointer to each fault.
    """
    current = base.model_validate(row, from_attributes=True).model_dump()
    merged = merge_patch(current, patch.model_dump())
    try:
        return column_values(base.model_validate(merged))
    except ValidationError as fault:
        faults = [field_error(item, prefix=("body",)) for item in fault.errors()]
        raise Invalid(errors=faults) from fault


def change(row: SQLModel, values: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Set the fields that differ; say what they were and are."""
    changes = {}
    for name, new in values.items():
        old = getattr(row, name)
        if old != new:
            changes[name] = (old, new)
            setattr(row, name, new)
    return changes
