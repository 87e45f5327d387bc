"""The driver: order, time, silence; and machines that run together."""

from kubehop.dns.lookup.drive import Late, drive
from kubehop.dns.lookup.protocol import Ask, Heard, Machine, Outcome, Query, Silence, Status
from kubehop.dns.lookup.together import together
from kubehop.dns.message import Question, Reply
from tests.dns.lookup.servers import NODATA, NXDOMAIN

DONE = Outcome(Status.NOT_FOUND)


def query(name: str) -> Query:
    return Query(Question(name, "A"), "10.43.0.10", "test")


def test_what_comes_at_the_same_moment_comes_in_the_order_of_sending() -> None:
    heard: list[str] = []

    def machine() -> Machine:
        got = yield Ask((query("a."), query("b."), query("c.")), 5)
        for _ in range(3):
            heard.append(f"{got.query.question.name} {got.now}" if got.query else f"up {got.now}")
            got = yield Ask((), 5)
        heard.append(f"up {got.now}" if got.query is None else "?")
        return DONE

    waits = {"a.": 1.0, "b.": 0.0, "c.": 1.0}
    lookup = drive(machine(), lambda q: Late(NODATA, waits[q.question.name]))
    assert heard == ["b. 0.0", "a. 1.0", "c. 1.0", "up 5"]
    assert lookup.seconds == 5


def test_silence_lets_the_time_pass_and_icmp_is_heard() -> None:
    results: list[object] = []

    def machine() -> Machine:
        got = yield Ask((query("silent."),), 2)
        results.append(got.result)
        got = yield Ask((query("unreachable."),), 4)
        results.append(got.result)
        return DONE

    answers = {"silent.": Silence.SILENT, "unreachable.": Silence.UNREACHABLE}
    lookup = drive(machine(), lambda q: answers[q.question.name])
    assert results == [None, Silence.UNREACHABLE]
    assert lookup.seconds == 2
    assert [(s.at, s.result) for s in lookup.steps] == [
        (0, Silence.SILENT),
        (2, Silence.UNREACHABLE),
    ]


def test_a_machine_that_waits_for_ever_hangs() -> None:
    def machine() -> Machine:
        yield Ask((query("a."),), float("inf"))
        return DONE

    lookup = drive(machine(), lambda q: Silence.SILENT)
    assert (lookup.outcome.status, lookup.seconds) == (Status.HANGS, float("inf"))


def test_a_machine_that_asks_nobody() -> None:
    def machine() -> Machine:
        yield from ()
        return DONE

    assert drive(machine(), lambda q: NXDOMAIN).outcome == DONE


def test_together_each_part_hears_its_own_and_has_its_own_time() -> None:
    ended: list[str] = []

    def part(name: str, until: float) -> Machine:
        got = yield Ask((query(name),), until)
        ended.append(f"{name} {got.now:g} {'reply' if got.reply else 'silence'}")
        return DONE

    def machine() -> Machine:
        yield from together([part("a.", 3), part("b.", 1), part("c.", 9)])
        return DONE

    def answer(asked: Query) -> Reply | Silence | Late:
        return Late(NODATA, 2.0) if asked.question.name == "c." else Silence.SILENT

    drive(machine(), answer)
    assert ended == ["b. 1 silence", "c. 2 reply", "a. 3 silence"]


def test_together_does_not_hear_what_comes_after_a_part_has_ended() -> None:
    woken: list[Heard] = []

    def hasty() -> Machine:
        woken.append((yield Ask((query("late."),), 1)))
        return DONE

    def patient() -> Machine:
        woken.append((yield Ask((query("silent."),), 5)))
        return DONE

    def machine() -> Machine:
        yield from together([hasty(), patient()])
        return DONE

    drive(
        machine(),
        lambda q: Late(NODATA, 2.0) if q.question.name == "late." else Silence.SILENT,
    )
    assert [heard.now for heard in woken] == [1, 5]
