"""resolv.conf as c-ares reads it: 1.34 (`ares_sysconfig_files.c`), 1.18 (`ares_init.c`).

Neither limits the number of nameservers. 1.34 drops a line whose value has 512 octets or more;
1.18 knows `retrans:` (milliseconds) and `retry:` but neither `timeout:` nor `attempts:`.
"""

import re
from dataclasses import replace

from kubehop.dns.resolv.scan import Draft, atoi, domain_of, dotted_quad, ipv6, lines, octets
from kubehop.dns.resolv.values import Option, ResolvConf

VALUE, KEYWORD = 511, 31
"""Longest value and keyword in octets that 1.34 keeps."""
UINT_MAX = 2**32 - 1
TIMEOUT, TRIES = 2, 3
"""Defaults of 1.34: seconds of the first try, tries for each server."""
OLD_TIMEOUT, OLD_TRIES = 5, 4
NODE_TRIES = 4
"""What `dns.Resolver` sets, whatever the file says."""


def parse(text: str, hostname: str = "") -> ResolvConf:
    """What c-ares 1.34 makes of resolv.conf."""
    draft = Draft(timeout=TIMEOUT, attempts=TRIES)
    for number, line in lines(text):
        line = line.strip(_SPACE)
        keyword, value = _split(line)
        if not value or line[0] in "#;":
            continue
        if octets(keyword) > KEYWORD or octets(value) > VALUE:
            draft.note(number, f"c-ares ignores this line: its value has {octets(value)} octets")
        elif keyword == "domain":
            if not draft.search:
                draft.search = _domains(value)[:1]
        elif keyword == "search":
            draft.search = _domains(value)
        elif keyword == "nameserver":
            _nameservers(draft, number, value)
        elif keyword == "options":
            _options(draft, number, value)
    return _conf(draft, hostname)


def parse_node(text: str, hostname: str = "") -> ResolvConf:
    """What Node's resolver makes of it: four tries, and `use-vc` counts, as it sets flags."""
    conf = parse(text, hostname)
    circuit = any(
        word in ("use-vc", "usevc")
        for _, line in lines(text)
        for word in line.split()[1:]
        if line.split()[0] == "options"
    )
    options = conf.options | ({Option.USE_VC} if circuit else set())
    notes = tuple(note for note in conf.notes if "forgets it" not in note.text)
    return replace(conf, attempts=NODE_TRIES, options=frozenset(options), notes=notes)


def parse_1_18(text: str, hostname: str = "") -> ResolvConf:
    """What c-ares 1.18 makes of resolv.conf: the first value of an option counts."""
    draft = Draft(timeout=OLD_TIMEOUT, attempts=OLD_TRIES)
    seen: set[str] = set()
    for number, line in lines(text):
        # What follows `;` or `#` is a comment, wherever it stands.
        keyword, value = _split(re.split("[;#]", line, maxsplit=1)[0].strip(_SPACE))
        if not value:
            continue
        if keyword == "domain":
            draft.search = _domains(value.split()[0])
        elif keyword == "search":
            draft.search = _domains(value)
        elif keyword == "nameserver":
            _nameservers(draft, number, value)
        elif keyword == "options":
            _old_options(draft, number, value, seen)
    return _conf(draft, hostname)


_SPACE = " \t\r\v\f\n"


def _split(line: str) -> tuple[str, str]:
    found = re.match(r"([^ \t\r\v\f]+)[ \t\r\v\f]+(.*)", line, re.DOTALL)
    return (found[1], found[2].strip(_SPACE)) if found else (line, "")


def _domains(value: str) -> list[str]:
    """Split at commas and spaces; the same domain again is left out, whatever its case."""
    found: dict[str, str] = {}
    for domain in re.split("[, ]+", value):
        if domain:
            found.setdefault(domain.lower(), domain)
    return list(found.values())


def _nameservers(draft: Draft, number: int, value: str) -> None:
    for word in re.split("[ ,]+", value):
        address = _address(word)
        if address is None:
            draft.note(number, f"{word!r} is not an address: ignored")
        elif address not in draft.nameservers:
            draft.nameservers.append(address)


def _address(word: str) -> str | None:
    """`10.0.0.1`, `10.0.0.1:53`, `fd00::1`, `[fd00::1]:53%eth0`; only port 53 is modelled."""
    bracketed = re.fullmatch(r"\[([^]]*)\](?::53)?(%.*)?", word)
    if bracketed:
        return ipv6(f"{bracketed[1]}{bracketed[2] or ''}")
    return dotted_quad(word.removesuffix(":53")) or ipv6(word)


def _options(draft: Draft, number: int, value: str) -> None:
    for word in value.replace("\t", " ").split(" "):
        name, colon, text = word.partition(":")
        number_given = int(text[:11]) if re.fullmatch("[0-9]+", text) else None
        if colon and (number_given is None or number_given > UINT_MAX):
            draft.note(number, f"{word!r} is not a number: ignored")
        elif name == "ndots":
            draft.ndots = number_given or 0
        elif name in ("timeout", "retrans") and number_given:
            draft.timeout = number_given
        elif name in ("attempts", "retry") and number_given:
            draft.attempts = number_given
        elif name == "rotate":
            draft.options.add(Option.ROTATE)
        elif name in ("use-vc", "usevc"):
            # init_by_defaults() overwrites the flag unless the program sets flags of its own.
            draft.note(number, f"c-ares reads {word!r} and forgets it: UDP is used all the same")
        elif word:
            draft.note(number, f"c-ares ignores the option {word!r}")


def _old_options(draft: Draft, number: int, value: str, seen: set[str]) -> None:
    for word in value.split():
        name, colon, text = word.partition(":")
        if word.startswith("rotate"):
            draft.options.add(Option.ROTATE)
        elif not colon or name not in ("ndots", "retrans", "retry"):
            draft.note(number, f"c-ares 1.18 does not know the option {word!r}")
        elif name not in seen:
            seen.add(name)
            # `retrans` counts milliseconds here; whole seconds are modelled.
            values = {"ndots": 1, "retrans": 1000, "retry": 1}
            amount = max(0, atoi(text)) // values[name]
            setattr(
                draft, {"ndots": "ndots", "retrans": "timeout", "retry": "attempts"}[name], amount
            )


def _conf(draft: Draft, hostname: str) -> ResolvConf:
    return ResolvConf(
        tuple(draft.nameservers) or ("127.0.0.1",),
        tuple(draft.search or domain_of(hostname)),
        draft.ndots,
        draft.timeout,
        draft.attempts,
        frozenset(draft.options),
        tuple(draft.notes),
    )
