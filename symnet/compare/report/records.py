"""A comparison as records: CSV for a table, JSON with everything.

In: a `Comparison`.  Out: text.  A figure that was not measured is empty, or null, and so is an error where the truth is
undefined, which `not_compared` says; NaN and ∞ are written as such in CSV, and as strings in JSON, which has no numbers
for them.
"""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import asdict
from typing import Any

from symnet.compare.row import Row

FIELDS = (
    "method", "family", "value", "value_error", "error", "ulp", "arithmetic", "multiply_adds", "functions",
    "loss_operations",
    "operations_ratio", "peak_bytes", "preparation_seconds", "cold_seconds", "seconds", "low_seconds", "high_seconds",
    "loss_seconds", "ratio", "not_compared", "note", "failed",
)  # fmt: skip


def record(row: Row) -> dict[str, Any]:
    """The figures of a row by `FIELDS`."""
    done = not row.failed
    found: dict[str, Any] = {
        "method": row.method, "family": row.family, "value": row.value if done else None,
        "value_error": row.value_error if done else None, "error": row.error if done else None,
        "ulp": row.ulp if done else None, "arithmetic": row.arithmetic, "multiply_adds": row.multiply_adds,
        "functions": row.functions,
        "loss_operations": None if row.loss_counted is None else int(row.loss_counted.total),
        "operations_ratio": row.operations_ratio, "peak_bytes": row.peak_bytes,
        "preparation_seconds": row.preparation, "cold_seconds": row.cold, "seconds": row.seconds,
        "low_seconds": row.times and row.times.low, "high_seconds": row.times and row.times.high,
        "loss_seconds": row.loss_times and row.loss_times.median, "ratio": row.ratio,
        "not_compared": row.not_compared, "note": row.note, "failed": row.failed,
    }  # fmt: skip
    assert tuple(found) == FIELDS
    return found


def csv_text(comparison: Any) -> str:
    """A line for each method."""
    out = io.StringIO()
    writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(record(row) for row in comparison.rows)
    return out.getvalue()


def json_text(comparison: Any) -> str:
    """Everything: rows with the agreement of each leaf, the truth, notes and conditions."""
    rows = [
        {**record(row), "how": row.how, "agreements": [asdict(a) for a in row.agreements]} for row in comparison.rows
    ]
    whole = {
        "of": comparison.of,
        "dtype": comparison.dtype,
        "parameters": comparison.parameters,
        "truth": comparison.truth.name,
        "truth_floor": comparison.truth.floor,
        "truth_note": comparison.truth.note,
        "notes": list(comparison.notes),
        "conditions": list(comparison.conditions),
        "rows": rows,
    }
    return json.dumps(_plain(whole), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """NaN and ∞ as strings."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value
