"""Runs a program over a text: one look at every character, whatever the expression."""

from kubehop.dns.corefile.regexes.program import At, Char, Match, Program, Save, Split

Slots = tuple[int, ...]
"""Where the whole and each group begin and end, -1 for nowhere."""
Thread = tuple[int, Slots]


def search(program: Program, groups: int, text: str) -> Slots | None:
    """The leftmost match, the one that a search with going back would find first (Perl, Go)."""
    nowhere = (-1,) * (2 * groups + 2)
    now, seen, found = list[Thread](), set[int](), None
    for at in range(len(text) + 1):
        if found is None:
            _follow(program, text, at, (0, (at, *nowhere[1:])), now, seen)
        code = ord(text[at]) if at < len(text) else -1
        after, seen = list[Thread](), set[int]()
        for place, slots in now:
            step = program[place]
            if isinstance(step, Match):
                # Threads behind this one count less.
                found = (slots[0], at, *slots[2:])
                break
            if isinstance(step, Char) and _in(step, code):
                _follow(program, text, at + 1, (place + 1, slots), after, seen)
        now = after
        if found is not None and not now:
            break
    return found


def _in(step: Char, code: int) -> bool:
    if code < 128:
        return code >= 0 and bool(step.mask >> code & 1)
    return code in step.chars


def _follow(
    program: Program, text: str, at: int, thread: Thread, threads: list[Thread], seen: set[int]
) -> None:
    """Add the thread where it waits for a character, in order, no place twice."""
    ahead = [thread]
    while ahead:
        place, slots = ahead.pop()
        if place in seen:
            continue
        seen.add(place)
        match program[place]:
            case Split(first, second):
                ahead += [(second, slots), (first, slots)]
            case Save(slot):
                ahead.append((place + 1, (*slots[:slot], at, *slots[slot + 1 :])))
            case At(name):
                if _is(name, text, at):
                    ahead.append((place + 1, slots))
            case _:
                threads.append((place, slots))


def _is(place: str, text: str, at: int) -> bool:
    before, after = text[at - 1 : at] if at else "", text[at : at + 1]
    match place:
        case "text start":
            return at == 0
        case "text end":
            return at == len(text)
        case "line start":
            return before in ("", "\n")
        case "line end":
            return after in ("", "\n")
    edge = _is_word(before) != _is_word(after)
    return edge if place == "boundary" else not edge


def _is_word(char: str) -> bool:
    return char == "_" or (char.isascii() and char.isalnum())
