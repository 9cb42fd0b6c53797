"""In what two Plans differ, in the user's words."""

from __future__ import annotations

import numpy as np

from featkit.plans.plan import Plan

__all__ = ["named_difference"]


def named_difference(first: Plan, second: Plan) -> str | None:
    """Return a phrase that names what differs between two designs, or None.

    Args:
        first: One Plan.
        second: The other.
    """
    if first.fingerprint == second.fingerprint:
        return None
    found = [
        f"{name} ({getattr(first, name)} and {getattr(second, name)})"
        for name in ("split", "folds", "seed")
        if getattr(first, name) != getattr(second, name)
    ]
    if first.classes != second.classes:
        found.append(f"classes ({', '.join(first.classes)} and {', '.join(second.classes)})")
    found += _row_differences(first, second)
    return "; ".join(found) or "which images are tested"


def _row_differences(first: Plan, second: Plan) -> list[str]:
    one, two = _table(first), _table(second)
    only_one, only_two = one.keys() - two.keys(), two.keys() - one.keys()
    found = []
    if only_one or only_two:
        found.append(
            f"images ({len(only_one)} only in the first, {len(only_two)} only in the second)"
        )
    common = one.keys() & two.keys()
    for position, name in enumerate(("labels", "lesions")):
        count = sum(one[key][position] != two[key][position] for key in common)
        if count:
            found.append(f"{name} (of {count} image{'s' if count > 1 else ''})")
    return found


def _table(plan: Plan) -> dict[str, tuple[str, str]]:
    rows = np.flatnonzero(plan.label >= 0)
    return {
        str(plan.image_id[row]): (plan.classes[plan.label[row]], str(plan.group[row]))
        for row in rows
    }
