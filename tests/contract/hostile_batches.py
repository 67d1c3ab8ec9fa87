"""Files and batches that no honest client sends; see `hostile_table`."""

from tests.contract.hostile_rows import INVALID
from tests.contract.hostile_rows import row as _row

POINTS = "/api/v1/measures/{measure}/data-points"
BULK = f"{POINTS}/bulk"
IMPORTS = "/api/v1/measures/{measure}/imports"
PROJECT_IMPORTS = "/api/v1/projects/{project}/imports"
CSV = ("Content-Type", "text/csv")
LINES = ("Content-Type", "application/jsonl")

BATCHES = [
    _row("CSV with NUL", 422, None, "POST", BULK, b"period_start,value\n2018-01-01,\x00\n", CSV),
    _row("CSV that is no UTF-8", (400, 422), None, "POST", BULK,
         b"period_start,value\n\xff,1\n", CSV),
    _row("CSV without a header row", 422, None, "POST", BULK, b"2018-01-01,1\n", CSV),
    _row("CSV with an open quote", 422, None, "POST", BULK, b'period_start,value\n"2018,1\n', CSV),
    _row("CSV with a cell of 200,000", 422, None, "POST", BULK,
         b"period_start,note\n2018-01-01," + b"x" * 200_000, CSV),
    _row("CSV with a column twice", 422, None, "POST", BULK,
         b"period_start,value,value\n2018-01-01,1,2\n", CSV),
    _row("CSV of 6,000 rows", (413, 422), None, "POST", BULK,
         b"period_start,numerator,denominator\n" + b"2018-01-01,1,2\n" * 6_000, CSV),
    _row("CSV of 6 MB", 413, "body_too_large", "POST", BULK, b"x" * 6_000_000, CSV),
    _row("an empty CSV", 422, None, "POST", BULK, b"", CSV),
    _row("an import with NUL", 202, None, "POST", IMPORTS,
         b"period_start,value\n2018-01-01,\x00\n", CSV),
    _row("an import with an open quote", 422, None, "POST", IMPORTS,
         b'period_start,value\n"2018,1\n', CSV),
    _row("an import of 21 MB", 413, "body_too_large", "POST", IMPORTS, b"x" * 21_000_000, CSV),
    _row("an import of 200,001 rows", 422, "too_many_rows", "POST", IMPORTS,
         b"period_start\n" + b"2018-01-01\n" * 200_001, CSV),
    _row("an import of lines nested deep", 202, None, "POST", IMPORTS, b"[" * 10_000, LINES),
    _row("an import of JSON", 415, None, "POST", IMPORTS, b'{"items": []}'),
    _row("an import of no measure", 422, INVALID, "POST", PROJECT_IMPORTS,
         b"period_start,value\n2018-01-01,1\n", CSV),
    _row("an import of NUL measures", 202, None, "POST", PROJECT_IMPORTS,
         b"measure,period_start\n\x00,2018-01-01\n", CSV),
    _row("an import of names of 100,000", 202, None, "POST", PROJECT_IMPORTS,
         b"measure,period_start\n" + b"x" * 100_000 + b",2018-01-01\n", CSV),
    _row("an import of a system with NUL", 422, INVALID, "POST", PROJECT_IMPORTS + "?system=%00",
         b"external_id,period_start\nx,2018-01-01\n", CSV),
    _row("an import of ids without a system", 422, INVALID, "POST", PROJECT_IMPORTS,
         b"external_id,period_start\nx,2018-01-01\n", CSV),
    _row("an import of numbers for measures", 202, None, "POST", PROJECT_IMPORTS,
         b'{"measure": ' + b"9" * 5_000 + b"}", LINES),
    _row("a project's import of 21 MB", 413, "body_too_large", "POST", PROJECT_IMPORTS,
         b"x" * 21_000_000, CSV),
    _row("the same day twice", 422, None, "POST", BULK,
         b"period_start,numerator,denominator\n2018-01-01,1,2\n2018-01-01,1,2\n", CSV),
    _row("lines that are no JSON", 422, None, "POST", BULK, b'{"a": 1}\n{"a"\n', LINES),
    _row("lines nested 10,000 deep", 422, None, "POST", BULK, b"[" * 10_000, LINES),
    _row("a batch of nothing", 200, None, "POST", BULK, b'{"items": []}'),
    _row("a batch with NaN", (400, 422), None, "POST", BULK,
         b'{"items": [{"period_start": "2018-01-01", "value": NaN}]}'),
    _row("a day in the path that is none", 422, INVALID, "PUT", f"{POINTS}/2018-13-01",
         b'{"numerator": 1, "denominator": 2}', ("If-None-Match", "*")),
]  # fmt: skip
