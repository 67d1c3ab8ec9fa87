"""Where points lie relative to their lines, as byte strings: one zone byte a point.

Run rules are patterns in such a string. Searching bytes takes the same few lines of code for ten
points and for a thousand series, and costs far less than a loop over points. A zone byte holds
every comparison of its point; a view of it is one call of bytes.translate.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

from app.spc.series import BoolArray, FloatArray

ON, HIGH, LOW = b"\x00", b"\x01", b"\xff"  # ON: between the lines, on the line, or a gap
GAP = b"\x02"  # a missing value, where it matters
BREAK = b"\x81"  # between segments; as a zone it would be above and below the centre at once

Side = Literal["high", "low"]
SIDES: dict[int, Side] = {HIGH[0]: "high", LOW[0]: "low"}
ByteArray = npt.NDArray[np.uint8]

# Bits of a zone byte, in the order of the comparisons of zones().
_ABOVE = {0: 0x80, 3: 0x40, 2: 0x20, 1: 0x10}  # by sigmas from the centre
_BELOW = {3: 0x08, 2: 0x04, 1: 0x02, 0: 0x01}


def zones(values: FloatArray, lines: FloatArray) -> bytes:
    """Every comparison of each value with its lines, strict; undefined ones do not hold.

    lines: seven rows: centre, then lower and upper line at 3, 2 and 1 sigma.
    """
    holds = np.empty((len(values), 8), np.bool_)
    columns = holds.T
    np.greater(values, lines[::2], out=columns[:4])
    np.less(values, lines[1::2], out=columns[4:7])
    np.less(values, lines[0], out=columns[7])
    return np.packbits(holds).tobytes()


def _view(inner: int, outer: int | None = None) -> bytes:
    """The translation to HIGH and LOW of points beyond `inner` sigma, but not beyond `outer`."""
    table = bytearray(256)
    for zone in range(256):
        for side, bits in (HIGH, _ABOVE), (LOW, _BELOW):
            if zone & bits[inner] and not (outer and zone & bits[outer]):
                table[zone] = side[0]
    table[BREAK[0]] = BREAK[0]
    return bytes(table)


# Views of zone bytes: sides of the centre, and of the points beyond so many sigma.
CENTRE, BEYOND_1, BEYOND_2, BEYOND_3 = map(_view, range(4))
BETWEEN_2_AND_3 = _view(2, 3)
# And every point alike, so that only the breaks between segments differ.
ANYWHERE = bytes(BREAK[0] if zone == BREAK[0] else HIGH[0] for zone in range(256))
IS_OUTSIDE = BEYOND_3.replace(LOW, HIGH).replace(BREAK, ON)


def outside(zone_bytes: bytes) -> BoolArray:
    """Whether each point lies outside the 3 sigma limits."""
    return np.frombuffer(zone_bytes.translate(IS_OUTSIDE), np.bool_)


def steps(values: FloatArray) -> ByteArray:
    """Up (HIGH) or down (LOW) from each value to the next; one fewer than values."""
    later, earlier = values[1:], values[:-1]
    up, down = (later > earlier).view(np.uint8), (later < earlier).view(np.uint8)
    return up - down
