"""Where points lie relative to their lines, as byte strings: one zone byte a point.

Run rules are patterns in such a string. Searching bytes takes the same few lines of code for ten
points and for a thousand series, and costs far less than a loop over points. A zone byte holds
every comparison of its point; a view of it is one call of bytes.translate.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

from app.spc.series import FloatArray

ON, HIGH, LOW = b"\x00", b"\x01", b"\x02"  # ON: between the lines, on the line, or a gap
GAP = b"\x03"  # only in steps over gaps
BREAK = b"\xff"  # between segments; as a zone it would be above and below the centre at once

Side = Literal["high", "low"]
SIDES: dict[int, Side] = {HIGH[0]: "high", LOW[0]: "low"}
ByteArray = npt.NDArray[np.uint8]

# Bits of a zone byte, in the order of the comparisons of zones().
_ABOVE = {0: 0x80, 3: 0x40, 2: 0x20, 1: 0x10}  # by sigmas from the centre
_BELOW = {3: 0x08, 2: 0x04, 1: 0x02, 0: 0x01}
OUTSIDE = _ABOVE[3] | _BELOW[3]


def zones(values: FloatArray, lines: FloatArray) -> ByteArray:
    """Every comparison of each value with its lines, strict; undefined ones do not hold.

    lines: seven rows: centre, then lower and upper line at 3, 2 and 1 sigma.
    """
    holds = np.empty((len(values), 8), np.bool_)
    columns = holds.T
    np.greater(values, lines[::2], out=columns[:4])
    np.less(values, lines[1::2], out=columns[4:7])
    np.less(values, lines[0], out=columns[7])
    return np.packbits(holds)


def _view(inner: int, outer: int | None = None) -> bytes:
    """The translation to HIGH and LOW of points beyond `inner` sigma, but not beyond `outer`."""
    table = bytearray(256)
    for zone in range(255):
        for side, bits in (HIGH, _ABOVE), (LOW, _BELOW):
            if zone & bits[inner] and not (outer and zone & bits[outer]):
                table[zone] = side[0]
    table[BREAK[0]] = BREAK[0]
    return bytes(table)


# Views of zone bytes: sides of the centre, and of the points beyond so many sigma.
CENTRE, BEYOND_1, BEYOND_2, BEYOND_3 = map(_view, range(4))
BETWEEN_2_AND_3 = _view(2, 3)


def steps(values: FloatArray) -> ByteArray:
    """Whether each value lies above (HIGH) or below (LOW) the one before it; the first is ON."""
    found = np.zeros(len(values), np.uint8)
    later, earlier = values[1:], values[:-1]
    np.add((later > earlier).view(np.uint8), 2 * (later < earlier).view(np.uint8), out=found[1:])
    return found
