"""Every known difference from the other engines, with its reason and a test of what explains it.

A test of an explanation predicts what the other engine says, so that any other difference fails.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.spc.peers import controlcharts, qikit, rules_elsewhere, shewhart, spreads_elsewhere
from tests.spc.peers.comparing import Difference

_LIMITS = ("lower_limit", "upper_limit", "lower_warning", "upper_warning")
_UPPER = ("upper_limit", "upper_warning")
_LINES = ("value", "centre", *_LIMITS)


@dataclass(frozen=True)
class Divergence:
    """A difference that we know and keep.

    about: lines, or rule_set/rule. charts: none is all of them. predicts: of a line what the other
    engine gives in every row (NaN: it says nothing of that row), of rules what it marks.
    """

    name: str
    peers: tuple[str, ...]
    about: tuple[str, ...]
    theirs: str
    reason: str
    predicts: Callable[[Difference], Any]
    charts: tuple[str, ...] = ()

    def is_about(self, difference: Difference) -> bool:
        return (
            difference.peer in self.peers
            and difference.about in self.about
            and (not self.charts or difference.case.chart in self.charts)
        )


_KEEPS_GAPS = "a range across a gap is the change of two periods, not of one"
_SHIFTS = ("nelson/shift", "western_electric/shift")

DIVERGENCES = (
    Divergence(
        "gap-rows-dropped",
        (controlcharts.NAME,),
        (*_LINES, *(f"wahealth/{rule}" for rule in controlcharts.RULES)),
        "drops the rows of gaps first: ranges, baselines and patterns run across them",
        _KEEPS_GAPS + "; a baseline counts periods",
        rules_elsewhere.without_rows_of_gaps,
    ),
    Divergence(
        "ranges-across-gaps",
        (qikit.NAME,),
        _LIMITS,
        "takes moving ranges across gaps",
        _KEEPS_GAPS,
        rules_elsewhere.ranges_across_gaps,
        charts=("i", "t"),
    ),
    Divergence(
        "trend-across-gaps",
        (qikit.NAME,),
        ("nelson/trend",),
        "a trend goes on across a gap",
        "a missing point may be the one that breaks the trend",
        rules_elsewhere.trend_across_gaps,
    ),
    Divergence(
        "ties-and-gaps-skipped-in-shift",
        (qikit.NAME,),
        _SHIFTS,
        "a point on the centre, or a gap, is skipped in a shift",
        "both rule sets ask for points in a row on one side",
        rules_elsewhere.skipping_shift,
    ),
    Divergence(
        "ties-break-ihi-trend",
        (qikit.NAME,),
        ("ihi_spc/trend",),
        "equal neighbours break a trend",
        "Provost and Murray ignore a point that repeats the one before it",
        rules_elsewhere.trend_broken_by_ties,
    ),
    Divergence(
        "eight-outer-one-sided",
        (qikit.NAME, shewhart.NAME),
        ("nelson/eight_outer",),
        "flags eight points beyond 1 sigma that are all on one side",
        "Nelson's eighth rule looks for a mixture: points on both sides",
        rules_elsewhere.one_sided_eight,
    ),
    Divergence(
        "longest-run-rounded-down",
        (qikit.NAME,),
        ("anhoej/long_run",),
        "signals from floor(log2 k) + 3 points, one or two fewer than published",
        "the published limit is exceeded by runs longer than round(log2 k) + 3",
        rules_elsewhere.longest_run_rounded_down,
    ),
    Divergence(
        "runs-analysis-from-ten",
        (qikit.NAME,),
        ("anhoej/long_run", "anhoej/few_crossings"),
        "no runs analysis below ten useful points",
        "nothing is withheld for being short: the quality block says how far to trust it",
        rules_elsewhere.nothing_below_ten,
    ),
    Divergence(
        "turning-point-one-trend",
        (controlcharts.NAME,),
        ("wahealth/trend",),
        "the point where a trend turns into the opposite one belongs to the first alone",
        "it is the last point of one and the first of the other",
        rules_elsewhere.turning_points_once,
    ),
    Divergence(
        "screened-to-nothing",
        (controlcharts.NAME,),
        _LIMITS,
        "limits collapse on the centre where screening leaves only ranges of zero",
        "where screening leaves nothing, the unscreened mean range stands",
        spreads_elsewhere.collapsed,
        charts=("i", "i_median"),
    ),
    Divergence(
        "g-sigma-of-median",
        (qikit.NAME,),
        _LIMITS,
        "takes sigma and the limits from the median",
        "the variance m(m + 1) of the geometric distribution is that of its mean m",
        spreads_elsewhere.g_about_median,
        charts=("g",),
    ),
    Divergence(
        "no-ceiling",
        (qikit.NAME, shewhart.NAME),
        _UPPER,
        "upper limits above 100 %",
        "no proportion lies there",
        spreads_elsewhere.above_ceiling,
        charts=("p", "p_prime", "np"),
    ),
    Divergence(
        "sigma-z-at-least-one",
        (qikit.NAME,),
        _LIMITS,
        "a sigma z below 1 is taken as 1",
        "Laney's charts also serve underdispersed data; sigma z is printed",
        spreads_elsewhere.plain_limits,
        charts=("p_prime", "u_prime"),
    ),
    Divergence(
        "i-prime-level",
        (qikit.NAME,),
        _LIMITS,
        "its prime chart of individuals has level limits about the weighted mean",
        "Taylor's limits widen where a denominator is small",
        spreads_elsewhere.level_prime,
        charts=("i_prime",),
    ),
    Divergence(
        "constants-to-three-decimals",
        (qikit.NAME,),
        _LIMITS,
        "reads A3, B3 and B4 from a printed table",
        "the exact constants cost nothing",
        spreads_elsewhere.printed_constants,
        charts=("xbar", "s"),
    ),
    Divergence(
        "spread-of-whole-series",
        (qikit.NAME,),
        _LIMITS,
        "takes the spread inside subgroups from the whole series, whatever its phases or baseline",
        "each phase stands on its own base points",
        spreads_elsewhere.spread_of_whole_series,
        charts=("xbar",),
    ),
    Divergence(
        "pooled-spread-unbiased",
        (qikit.NAME,),
        ("centre", *_LIMITS),
        "subgroups of several sizes: divides the pooled S of the whole series by c4 of all its "
        "degrees of freedom, and the centre of an s chart varies with c4",
        "as qicharts2 and controlchartspy: limits from S and c4 of each size, a level centre",
        spreads_elsewhere.pooled_and_unbiased,
        charts=("xbar", "s"),
    ),
    Divergence(
        "mr-lines-about-centre",
        (qikit.NAME,),
        ("lower_limit", "lower_warning", "upper_warning"),
        "no lower limit of moving ranges, warning lines two thirds of the way to the upper limit",
        "the lower limit is 0, the warning lines are 2/3 of the upper limit",
        spreads_elsewhere.mr_lines,
        charts=("mr",),
    ),
    Divergence(
        "ranges-across-phases",
        (qikit.NAME,),
        ("value", "centre", "upper_limit"),
        "the first moving range of a phase is taken from the last point of the phase before",
        "a planned change is no variation of the process",
        spreads_elsewhere.ranges_across_phases,
        charts=("mr",),
    ),
    Divergence(
        "both-ranges-excluded",
        (qikit.NAME,),
        ("centre", "upper_limit"),
        "both moving ranges of an excluded point leave the centre",
        "an excluded row leaves out its own range alone, as in qicharts2",
        spreads_elsewhere.both_ranges_excluded,
        charts=("mr",),
    ),
    Divergence(
        "d2-to-all-digits",
        (shewhart.NAME,),
        _LIMITS,
        "divides mean ranges by 2/sqrt(pi) = 1.12838",
        "1.128 is what the tables of the field print and what NHS tools use",
        spreads_elsewhere.exact_d2,
        charts=("i", "p_prime", "u_prime"),
    ),
    Divergence(
        "d4-to-all-digits",
        (shewhart.NAME,),
        ("upper_limit",),
        "D4 is 3.26653",
        "3.267 is what the tables of the field print",
        spreads_elsewhere.exact_d4,
        charts=("mr",),
    ),
)


@dataclass(frozen=True)
class KnownDifference:
    """A difference in EWMA, CUSUM, Pareto or funnel plots; its test predicts what is drawn."""

    name: str
    peer: str
    theirs: str
    reason: str


OF_COMPARISONS = (
    KnownDifference(
        "funnel-limits-approximate",
        controlcharts.NAME,
        "unadjusted limits from an arcsine (proportions), a chi-square (ratios) or a log (rates)",
        "exact binomial and Poisson limits, as published, are right for small units too",
    ),
    KnownDifference(
        "funnel-dispersion-untransformed",
        qikit.NAME,
        "takes phi from z-scores on the scale of the values, adjusts by exact mixtures",
        "on the transformed scale the spread of z does not depend on the value",
    ),
)
