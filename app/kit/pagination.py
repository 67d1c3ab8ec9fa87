"""Keyset pagination: NULL-safe, mixed directions, cursors bound to their list and caller."""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Generic, Literal, TypeVar

import sqlalchemy as sa
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlmodel import Session

from app.kit.errors import BadRequest, FieldError
from app.kit.fields import Instant

MAX_LIMIT = 200
_MAC_BYTES = 12

T = TypeVar("T")
R = TypeVar("R")


def _split_commas(value: object) -> object:
    if isinstance(value, list):
        given = [str(item) for item in value]
        return [part for item in given for part in item.split(",") if part or not item]
    return value


Commas = BeforeValidator(_split_commas)


class InvalidCursor(BadRequest):
    """400: the cursor is damaged, or belongs to another list, filter, sort or caller."""

    code = "invalid_cursor"
    title = "The cursor does not belong to this list; start again without it."


class ListQuery(BaseModel):
    """What every list takes. Subclasses add typed filters and the sorts that they allow.

    A subclass of small rows may raise `max_limit`, and says so in its `limit`.
    """

    model_config = ConfigDict(extra="forbid")
    max_limit: ClassVar[int] = MAX_LIMIT

    limit: int = Field(
        default=50,
        ge=1,
        le=2**31,
        description=f"Rows a page; more than {MAX_LIMIT} is read as that.",
    )
    cursor: str | None = Field(
        default=None, max_length=2_000, description="`next_cursor` of the page before."
    )
    with_total: bool = Field(default=False, description="Also count all rows (slower).")

    def fingerprint(self) -> str:
        """What a cursor is bound to: every parameter but the place and size of the page."""
        return self.model_dump_json(exclude={"limit", "cursor", "with_total"})


class ArchivableQuery(ListQuery):
    """A list of rows that can be archived."""

    archived: Literal["false", "true", "any"] = Field(
        default="false", description="Archived rows are hidden unless asked for."
    )
    updated_since: Instant | None = Field(default=None, description="Changed at or after.")


class Page(BaseModel, Generic[T]):
    """A page of a list. `next_cursor` null is the one and only end mark."""

    items: list[T]
    next_cursor: str | None = Field(
        description="Send as `cursor` for the next page; null at the end."
    )
    total: int | None = Field(
        default=None, description="Number of rows, if `with_total` was asked."
    )

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """`ProjectPage` and not `Page_ProjectRead_`, so that generated clients read well."""
        return f"{params[0].__name__.removesuffix('Read')}Page"

    def of(self, items: list[R]) -> "Page[R]":
        """The same page with its rows as they are answered, which were converted together."""
        return Page.model_construct(items=items, next_cursor=self.next_cursor, total=self.total)

    def map(self, convert: Callable[[T], R]) -> "Page[R]":
        """The same page with every row converted."""
        return self.of([convert(item) for item in self.items])


def _encode(value: Any) -> list[Any]:
    match value:
        case datetime():
            return ["t", value.isoformat()]
        case date():
            return ["d", value.isoformat()]
        case uuid.UUID():
            return ["u", value.hex]
        case _:
            return ["j", value]


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "t": datetime.fromisoformat,
    "d": date.fromisoformat,
    "u": uuid.UUID,
    "j": lambda value: value,
}


@dataclass(frozen=True, slots=True)
class SortKey:
    """One column of an order; NULLs come last in both directions."""

    column: sa.ColumnElement[Any]
    descending: bool = False

    def order(self) -> list[sa.ColumnElement[Any]]:
        """The ORDER BY terms; a column that is never NULL needs no rank, so its index serves."""
        directed = self.column.desc() if self.descending else self.column.asc()
        if not getattr(getattr(self.column, "expression", self.column), "nullable", True):
            return [directed]
        return [sa.case((self.column.is_(None), 1), else_=0), directed]

    def equals(self, value: Any) -> sa.ColumnElement[bool]:
        """Rows that tie with the cursor on this key."""
        return self.column.is_(None) if value is None else self.column == value

    def follows(self, value: Any) -> sa.ColumnElement[bool]:
        """Rows that come after the cursor on this key."""
        if value is None:
            return sa.false()
        beyond = self.column < value if self.descending else self.column > value
        return sa.or_(beyond, self.column.is_(None))


def after(keys: Sequence[SortKey], values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Rows that come after `values` in the lexicographic order of `keys`."""
    return sa.or_(
        *(
            sa.and_(
                *(keys[i].equals(values[i]) for i in range(depth)),
                keys[depth].follows(values[depth]),
            )
            for depth in range(len(keys))
        )
    )


@dataclass(slots=True)
class Pager:
    """Pages through lists for one caller; signs the cursors that it hands out."""

    secret: bytes
    binding: Callable[[], str]
    link: Callable[[str], None]

    def _mac(self, payload: bytes) -> bytes:
        return hmac.digest(self.secret, payload, "sha256")[:_MAC_BYTES]

    def _fingerprint(self, query: ListQuery) -> str:
        return hashlib.sha256(f"{self.binding()}\n{query.fingerprint()}".encode()).hexdigest()[:24]

    def _seal(self, query: ListQuery, values: Sequence[Any]) -> str:
        document = [self._fingerprint(query), [_encode(value) for value in values]]
        payload = json.dumps(document, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._mac(payload) + payload).decode().rstrip("=")

    def _open(self, query: ListQuery, cursor: str) -> list[Any]:
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
            if not hmac.compare_digest(mac, self._mac(payload)):
                raise ValueError(cursor)
            fingerprint, values = json.loads(payload)
            if fingerprint != self._fingerprint(query):
                raise ValueError(cursor)
            return [_DECODERS[kind](value) for kind, value in values]
        except ValueError as fault:
            error = FieldError(
                code=InvalidCursor.code, detail=InvalidCursor.title, parameter="cursor"
            )
            raise InvalidCursor(errors=[error]) from fault

    def page(
        self,
        session: Session,
        statement: sa.Select[Any],
        *,
        query: ListQuery,
        order: Sequence[SortKey],
    ) -> Page[Any]:
        """One page of the statement's rows. The last key of `order` must be unique.

        The statement selects one entity; the sort columns are selected beside it.
        """
        limit = min(query.limit, query.max_limit)
        total = _count(session, statement) if query.with_total else None
        if query.cursor is not None:
            statement = statement.where(after(order, self._open(query, query.cursor)))
        ordered = statement.add_columns(*(key.column for key in order)).order_by(
            *(term for key in order for term in key.order())
        )
        rows = session.execute(ordered.limit(limit + 1)).all()
        kept = rows[:limit]
        cursor = None
        if len(rows) > limit:
            cursor = self._seal(query, kept[-1][-len(order) :])
            self.link(cursor)
        items = [row[0] for row in kept]
        return Page.model_construct(items=items, next_cursor=cursor, total=total)


def _count(session: Session, statement: sa.Select[Any]) -> int:
    # Without the FROM of the columns, a list that nothing narrows would count one row (measured).
    counted = statement.with_only_columns(sa.literal(1), maintain_column_froms=True)
    inner = counted.order_by(None).subquery()
    return int(session.execute(sa.select(sa.func.count()).select_from(inner)).scalar_one())


def order_by(
    sort: Sequence[str], columns: Mapping[str, Any], *, default: str, last: Any
) -> list[SortKey]:
    """The keys of `sort` (such as `-updated_at`), with the unique column `last` at the end."""
    names = list(sort) or [default]
    keys = [
        SortKey(columns[name.lstrip("-")], descending=name.startswith("-"))
        for name in dict.fromkeys(names)
    ]
    return [*keys, SortKey(last)]
