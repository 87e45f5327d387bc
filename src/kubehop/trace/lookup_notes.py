"""What a reader must know about a prediction besides its queries."""

from collections.abc import Iterator
from dataclasses import replace

from kubehop.dns.lookup.drive import Step
from kubehop.dns.lookup.protocol import Outcome
from kubehop.dns.message import Reply
from kubehop.dns.outside import STAND_IN, UNKNOWN_ADDRESS, Mood
from kubehop.dns.resolv.kubelet import Event
from kubehop.trace.answerer import Answerer

OUTSIDE_IS = "resolvers outside are assumed to be like this: "
"""How a note starts that is of no use to who knows what is outside."""


def notes_on(problem: str, events: tuple[Event, ...], answerer: Answerer) -> tuple[str, ...]:
    """A line each: why the pod does not start, what the kubelet reports about its files, what
    only some packets meet, what was taken for granted outside, and what the Corefile leaves open.
    """
    reported = (f"the kubelet reports {event.reason}: {event.message}" for event in events)
    shared = (
        f"only {found.share} of the packets to {found.address} fare like this"
        for found in answerer.met.values()
        if found.share != 1
    )
    stopped = (f"the pod does not start: {problem}",) if problem else ()
    outside, unreachable = _about_outside(answerer), answerer.unreachable
    notes = (*stopped, *reported, *shared, *outside, *unreachable, *answerer.serving.notes)
    return tuple(dict.fromkeys(notes))


def shown_outcome(outcome: Outcome) -> Outcome:
    """With what stands for an unknown address said to be unknown."""
    return replace(outcome, addresses=tuple(map(_shown_address, outcome.addresses)))


def shown(step: Step) -> Step:
    """Likewise for the records of a reply."""
    if not isinstance(step.result, Reply):
        return step
    records = tuple(replace(r, data=_shown_address(r.data)) for r in step.result.answer)
    return replace(step, result=replace(step.result, answer=records))


def _shown_address(data: str) -> str:
    return UNKNOWN_ADDRESS if data == STAND_IN else data


def _about_outside(answerer: Answerer) -> Iterator[str]:
    """What the prediction takes for granted beyond the cluster."""
    outside = answerer.outside
    assumed = [name for name in answerer.left if name not in outside.known]
    if assumed and outside.mood is not Mood.ANSWERS:
        yield f"{OUTSIDE_IS}{outside.mood} (--outside)"
    elif assumed:
        existing = ", ".join(name for name in assumed if name in outside.exists)
        what = f"{existing} exists" if existing else "none of these names exists"
        rest = ", and nothing else that was asked for" if existing and len(assumed) > 1 else ""
        yield f"outside of the cluster it is assumed that {what}{rest} (--host NAME=IP, --outside)"
