"""Label and node selectors, as `k8s.io/apimachinery/pkg/labels` evaluates them."""

from collections.abc import Mapping

from kubehop.model.meta import Labels, LabelSelector, Requirement


def matches_map(selector: Mapping[str, str], labels: Labels) -> bool:
    """True if `labels` carries every pair of `selector` (a Service's `spec.selector`)."""
    return all(labels.get(key) == value for key, value in selector.items())


def matches(selector: LabelSelector | None, labels: Labels) -> bool:
    """True if a `metav1.LabelSelector` selects `labels`; None selects nothing, {} everything."""
    if selector is None:
        return False
    return matches_map(selector.match_labels or {}, labels) and all(
        satisfies(requirement, labels) for requirement in selector.match_expressions or ()
    )


def satisfies(requirement: Requirement, labels: Labels) -> bool:
    """True if `labels` satisfies one requirement; `NotIn` holds when the key is absent."""
    value = labels.get(requirement.key)
    values = requirement.values or ()
    match requirement.operator:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt":
            return _compares(requirement.operator, value, values)


def _compares(operator: str, value: str | None, values: tuple[str, ...]) -> bool:
    """`Gt` and `Lt` of node affinity: both sides must be integers, else no match."""
    try:
        have, limit = int(value or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return have > limit if operator == "Gt" else have < limit
