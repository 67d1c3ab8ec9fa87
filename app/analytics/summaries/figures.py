"""The figures that a summary keeps of a judged chart. Pure: plain values in and out."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

import numpy as np

from app import spc

LATEST_SIGNALS = 3
_VERSION = 1  # of this file: raise it with every change of what is kept, or old rows stay
# A phase of this reason begins another series: what was measured before it is no baseline for it.
NEW_DEFINITION = "definition_change"


@cache
def fingerprint(programme_rule_set: str | None) -> str:
    """Of all that decides a summary beside the measure's series revision.

    Whatever a measure itself has stored raises its revision; the default of its programme does not,
    and a new version of the engine or of its rules cannot.
    """
    rules = {name: rule_set.version for name, rule_set in spc.RULE_SETS.items()}
    stated = [_VERSION, spc.ENGINE_VERSION, rules, list(spc.CHARTS), programme_rule_set]
    return hashlib.sha256(json.dumps(stated).encode()).hexdigest()


def figures_of(judged: spc.Chart | spc.SpcError, settings: spc.Settings) -> dict[str, Any]:
    """The figures by the name of their column."""
    if isinstance(judged, spc.SpcError):
        fault = {"fault_code": judged.code, "fault_detail": judged.detail}
        return {"chart": settings.chart, "rule_set": settings.rule_set} | fault
    return {
        "chart": settings.chart,
        "rule_set": judged.rules.name,
        "points": len(judged.values),
        "variation": judged.variation,
        "assurance": judged.assurance,
        **_latest(judged),
        **_signals(judged.signals, judged.series.x),
        **_phases(judged),
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _latest(chart: spc.Chart) -> Mapping[str, Any]:
    """The last value, and the lines at the last row."""
    present = np.flatnonzero(chart.present)
    if not len(chart.values):
        return {}
    lines = ("centre", "lower_limit", "upper_limit")
    figures: dict[str, Any] = {name: _number(getattr(chart, name)[-1]) for name in lines}
    if chart.target is not None:
        figures["target"] = _number(chart.target[-1])
    if len(present):
        row = int(present[-1])
        figures["latest_on"] = date.fromisoformat(chart.series.x[row])
        figures["latest_value"] = _number(chart.values[row])
    return figures


def _signals(signals: Sequence[spc.Signal], labels: Sequence[str]) -> Mapping[str, Any]:
    latest = sorted(signals, key=lambda signal: signal.end, reverse=True)[:LATEST_SIGNALS]
    return {
        "signals": len(signals),
        "improvement_signals": sum(signal.meaning == "improvement" for signal in signals),
        "concern_signals": sum(signal.meaning == "concern" for signal in signals),
        "latest_signals": [
            {
                "id": signal.id,
                "rule": signal.rule,
                "direction": signal.direction,
                "meaning": signal.meaning,
                "starts_on": labels[signal.start],
                "ends_on": labels[signal.end],
            }
            for signal in latest
        ],
    }


def _phases(chart: spc.Chart) -> Mapping[str, Any]:
    """The phase that an aim starts from, and the phase that the process is in now."""
    if not len(chart.values):
        return {}
    current = chart.phases[-1]
    redefined = [phase for phase in chart.phases if phase.reason == NEW_DEFINITION]
    baseline = redefined[-1] if redefined else chart.phases[0]
    sides = [signal.direction for signal in chart.signals if signal.phase == current.index]
    return {
        **_phase("baseline", chart, baseline),
        **_phase("current", chart, current),
        "baseline_points": baseline.base_points,
        "current_high_signals": sides.count("high"),
        "current_low_signals": sides.count("low"),
    }


def _phase(prefix: str, chart: spc.Chart, phase: spc.Phase) -> Mapping[str, Any]:
    counted = chart.present[phase.start : phase.stop]
    if chart.series.excluded is not None:
        counted = counted & ~np.asarray(chart.series.excluded[phase.start : phase.stop], dtype=bool)
    return {
        f"{prefix}_phase": phase.index,
        f"{prefix}_starts_on": date.fromisoformat(chart.series.x[phase.start]),
        f"{prefix}_centre": phase.centre,
        f"{prefix}_points": int(np.count_nonzero(counted)),
    }
