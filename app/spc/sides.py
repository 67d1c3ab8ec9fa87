"""Where points lie relative to lines, as byte strings: one byte a point.

Run rules are patterns in such a string. Searching bytes takes the same few lines of code for ten
points and for ten thousand, and costs far less than a loop over points.
"""

from typing import Literal

import numpy as np

from app.spc.series import FloatArray

ON, HIGH, LOW = b"\x00", b"\x01", b"\x02"  # ON: between the lines, on the line, or a gap

Side = Literal["high", "low"]
SIDES: dict[int, Side] = {HIGH[0]: "high", LOW[0]: "low"}


def sides(values: FloatArray, lower: FloatArray, upper: FloatArray) -> bytes:
    """HIGH above `upper`, LOW below `lower`, else ON; an undefined value or line gives ON."""
    high = (values > upper).view(np.uint8)
    return (high + 2 * (values < lower).view(np.uint8)).tobytes()
