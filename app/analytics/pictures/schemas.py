"""How a chart is asked for: representation and size, beside the overrides of its settings."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from app.analytics.pictures.style import CANVASES, Canvas
from app.analytics.schemas import SpcQuery
from app.analytics.summaries.schemas import HeadlineQuery
from app.kit.fields import Input
from app.kit.negotiation import CSV, JSON

SVG = "image/svg+xml"
PNG = "image/png"
VEGA_LITE = "application/vnd.vegalite.v6+json"
FORMATS = {"json": JSON, "csv": CSV, "vegalite": VEGA_LITE, "svg": SVG, "png": PNG}
MEDIA_TYPES = tuple(FORMATS.values())
SHEETS = (SVG, PNG, VEGA_LITE)
MOST_PANELS = 24
_SMALLEST = (400, 260)  # with texts
_CRISP = {"slide": 1.5}  # 1920 x 1080 pixels

Scale = Annotated[float, Field(ge=0.5, le=2, allow_inf_nan=False)]


class PictureQuery(Input):
    """The representation of a chart, and the size of its pictures."""

    format: Literal["json", "csv", "vegalite", "svg", "png"] | None = Field(
        default=None, description="Wins over Accept."
    )
    size: Literal["page", "slide", "thumbnail"] | None = Field(
        default=None,
        description="Of a picture: 800 x 440 pixels (default), 1280 x 720, or 240 x 120 without "
        "texts.",
    )
    width: Annotated[int, Field(ge=120, le=1600)] | None = Field(
        default=None, description="Pixels; instead of that of the size."
    )
    height: Annotated[int, Field(ge=60, le=1200)] | None = Field(
        default=None, description="Pixels; below 400 x 260 a picture has no texts."
    )
    scale: Scale | None = Field(
        default=None,
        description="Pixels of a PNG for each of these: 2 for fine screens. A slide has 1.5, the "
        "others 1.",
    )

    def canvas(self) -> Canvas:
        """The size in pixels; type grows and shrinks with it."""
        preset = CANVASES[self.size or "page"]
        if self.width is None and self.height is None:
            return preset
        width, height = self.width or preset.width, self.height or preset.height
        page = CANVASES["page"]
        k = min(width / page.width, height / page.height)
        return Canvas(width, height, round(min(max(k, 0.8), 2.2), 2))

    def is_thumbnail(self) -> bool:
        """Whether the picture is too small for texts."""
        canvas = self.canvas()
        is_small = canvas.width < _SMALLEST[0] or canvas.height < _SMALLEST[1]
        return self.size == "thumbnail" or is_small

    def png_scale(self) -> float:
        """Pixels of a PNG for each pixel of the canvas."""
        return self.scale or _CRISP.get(self.size or "page", 1.0)


class MeasureChartQuery(SpcQuery, PictureQuery):
    """Overrides of the stored settings, and how to show the chart."""


_Sheet = Literal["svg", "png", "vegalite"]
_FORMAT: Any = Field(default=None, description="Wins over Accept.")
_COLUMNS: Any = Field(default=None, ge=1, le=4, description="Charts a row; null: as fits.")
_SCALE: Any = Field(default=None, description="Pixels of a PNG for each of the picture's.")


class ProjectSheetQuery(Input):
    """How to show the charts of a project."""

    format: _Sheet | None = _FORMAT
    columns: int | None = _COLUMNS
    scale: Scale | None = _SCALE


class ProgrammeSheetQuery(HeadlineQuery):
    """A page of a programme's projects, and how to show their charts."""

    max_limit: ClassVar[int] = MOST_PANELS

    limit: int = Field(
        default=MOST_PANELS,
        ge=1,
        le=2**31,
        description=f"Charts a page; more than {MOST_PANELS} is read as that.",
    )
    format: _Sheet | None = _FORMAT
    columns: int | None = _COLUMNS
    scale: Scale | None = _SCALE

    def fingerprint(self) -> str:
        """A cursor holds for every look of the same list."""
        looks = {"format", "columns", "scale"}
        return self.model_dump_json(exclude={"limit", "cursor", "with_total", *looks})
