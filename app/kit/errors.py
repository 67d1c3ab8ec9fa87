"""What can go wrong, in the domain's terms. HTTP statuses are chosen in `kit.problems` alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One thing wrong with the input: where (one of the three places), which code, what to do."""

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None
    header: str | None = None
    row: int | None = None
    column: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The members that are set, as they stand in a problem document."""
        # Not `asdict`, which copies deeply: a hostile body has tens of thousands of faults.
        return {
            name: value for name in self.__slots__ if (value := getattr(self, name)) is not None
        }


def pointer(*steps: str | int) -> str:
    """A JSON Pointer (RFC 6901) as a URI fragment: `pointer("items", 17, "value")`.

    A step may be a name that the caller made up, of any length; it is cut.
    """
    escaped = (str(step)[:100].replace("~", "~0").replace("/", "~1") for step in steps)
    return "#/" + "/".join(escaped)


# Where the library names the fault alone, what to do instead; `{}` are from the fault's context.
_ADVICE = {
    "too_long": "Send at most {max_length} items; split what is more over further requests.",
    "too_short": "Send {min_length} or more items.",
    "finite_number": "Send a finite number, or null where none is known and null is allowed.",
}


def _advice(fault: Mapping[str, Any]) -> str:
    words: str = fault["msg"]
    advice = _ADVICE.get(fault["type"])
    if advice is None or ("{" in advice and "ctx" not in fault):
        return words
    return advice.format_map(fault.get("ctx", {}))


def field_error(fault: Mapping[str, Any], *, prefix: tuple[str | int, ...] = ()) -> FieldError:
    """A Pydantic error without its `input`, `ctx` and `url`: an input can be a password."""
    return FieldError(
        code=fault["type"], detail=_advice(fault), **_place((*prefix, *tuple(fault["loc"])))
    )


def _place(location: tuple[int | str, ...]) -> dict[str, Any]:
    where, *steps = location
    if where == "body":
        return {"pointer": pointer(*steps) if steps else "#"}
    name = str(steps[0]) if steps else str(where)
    return {"header": name} if where == "header" else {"parameter": name}


class OpenQIError(Exception):
    """A refusal that the caller can understand. Subclasses give a stable `code` and a title."""

    code: ClassVar[str]
    title: ClassVar[str]
    type: ClassVar[str | None] = None  # where the world knows it by an address; else it is ours

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.errors = tuple(errors)
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})

    @classmethod
    def address(cls) -> str:
        """The `type` of its problem document."""
        return cls.type or f"/problems/{cls.code}"


class BadRequest(OpenQIError):
    """The request cannot be read at all."""

    code = "bad_request"
    title = "The request cannot be read."


class Unauthenticated(OpenQIError):
    """Nobody known is calling."""

    code = "unauthenticated"
    title = "A valid access token is needed."


class Forbidden(OpenQIError):
    """The caller may see the thing but not do this to it."""

    code = "forbidden"
    title = "Your role does not allow this."


class NotFound(OpenQIError):
    """Unknown, or not visible to the caller: the two are told apart by nobody."""

    code = "not_found"
    title = "There is nothing here that you can see."


class Conflict(OpenQIError):
    """The request is well formed, but the present state does not allow it."""

    code = "conflict"
    title = "The present state does not allow this."


class Archived(Conflict):
    """A write to an archived row or under an archived parent; restore it first."""

    code = "archived"
    title = "It is archived; restore it first."


class InvalidStateTransition(Conflict):
    """The step is not among those allowed from the present state."""

    code = "invalid_state_transition"
    title = "That step is not allowed from the present state."

    def __init__(self, *, state: str, to: str, allowed: Sequence[str]) -> None:
        super().__init__(
            f"From {state} there is no step to {to}.", extra={"allowed": sorted(allowed)}
        )


class TransitionBlocked(Conflict):
    """The step exists, but something that it asks for is missing."""

    code = "transition_blocked"
    title = "Something that this step asks for is missing."

    def __init__(self, *, to: str, missing: Sequence[str], can_override: bool) -> None:
        advice = " Give override_reason to go on all the same." if can_override else ""
        super().__init__(
            f"Before {to}: {'; '.join(missing)}.{advice}",
            extra={"missing": list(missing), "can_override": can_override},
        )


class AlreadyExists(Conflict):
    """A unique value is taken."""

    code = "already_exists"
    title = "One with this value exists already."


class PreconditionFailed(OpenQIError):
    """If-Match names a revision that is no longer the present one."""

    code = "revision_mismatch"
    title = "It was changed since you read it."


class PreconditionRequired(OpenQIError):
    """A write that could lose somebody's update came without If-Match."""

    code = "precondition_required"
    title = "Send If-Match with the ETag that you read."


class UnsupportedMediaType(OpenQIError):
    """The body is in a format that this route does not read."""

    code = "unsupported_media_type"
    title = "This route does not read that media type."


class NotAcceptable(OpenQIError):
    """None of the formats asked for can be given."""

    code = "not_acceptable"
    title = "None of the formats asked for can be given."


class Invalid(OpenQIError):
    """Understood, but wrong: each fault is listed in `errors` with its place."""

    code = "validation_failed"
    title = "The request is not valid."

    @classmethod
    def at(cls, *steps: str | int, code: str, detail: str) -> "Invalid":
        """One fault at one place of the body."""
        return cls(detail, errors=[FieldError(code=code, detail=detail, pointer=pointer(*steps))])


class ReferenceNotFound(Invalid):
    """A reference in the body leads to nothing that the caller can see."""

    code = "reference_not_found"
    title = "A reference leads to nothing that you can see."

    @classmethod
    def in_field(cls, *steps: str | int) -> "ReferenceNotFound":
        """The reference at one place of the body."""
        fault = FieldError(code=cls.code, detail=cls.title, pointer=pointer(*steps))
        return cls(cls.title, errors=[fault])


class TooManyRequests(OpenQIError):
    """Too many tries in too short a time."""

    code = "too_many_requests"
    title = "Too many requests."


class Unavailable(OpenQIError):
    """The database is busy or away; the same request may succeed soon."""

    code = "unavailable"
    title = "The service is busy; try again soon."


class StorageFull(Unavailable):
    """503: there is no room for a write; reads go on, and writes once the operator made room."""

    code = "storage_full"
    title = "The disk of the database is full; nothing was written."
