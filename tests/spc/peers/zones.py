"""A phase as other engines want to be asked about rules: values, centre and sigma of each row."""

from typing import NamedTuple

import numpy as np

from app.spc import Chart
from app.spc.series import FloatArray


class Zones(NamedTuple):
    """Judged points of one phase: excluded ones are left out, gaps are NaN."""

    rows: list[int]  # of the series
    values: FloatArray
    centre: FloatArray
    sigma: FloatArray

    @property
    def has_sigma(self) -> bool:
        return bool(np.isfinite(self.sigma).any())

    def in_series(self, found: set[int]) -> set[int]:
        """Rows of the series for rows of the phase."""
        return {self.rows[row] for row in found}


def zones_of(judged: Chart) -> list[Zones]:
    """The phases of a chart as judged: t charts by their roots.

    Sigma comes from a warning line that is not clipped; it is undefined where the limits do not lie
    about the centre, and where there are none.
    """
    values, centre, lower, upper = judged.values, *judged.lines[[0, 3, 4]]
    if judged.kind.name == "t":
        values, centre, lower, upper = (
            line ** (1 / 3.6) for line in (values, centre, lower, upper)
        )
    sigma = np.fmax(upper - centre, centre - lower) / 2
    if judged.kind.name == "g":
        sigma = np.full(len(values), np.nan)
    excluded = judged.series.excluded or [False] * len(values)
    found = []
    for phase in judged.phases:
        rows = [row for row in range(phase.start, phase.stop) if not excluded[row]]
        found.append(Zones(rows, values[rows], centre[rows], sigma[rows]))
    return found
