"""What is asked inside of a container with what its image has, and how the answer is taken apart.

Pure. One shell does it all in one exec: a round trip each would cost more than the answer. An
image without a shell is asked program by program.
"""

from kubehop.remote import sysfs

ADDRESSES_JSON = ("ip", "-j", "-d", "addr")
ADDRESSES_TEXT = ("ip", "addr")
ROUTES_JSON = (("ip", "-j", "-4", "route"), ("ip", "-j", "-6", "route"))
FILES = (
    "/etc/resolv.conf",
    "/etc/hosts",
    "/proc/sys/kernel/hostname",
    "/proc/net/dev",
    "/proc/net/if_inet6",
    "/proc/net/igmp",
    "/proc/net/route",
    "/proc/net/ipv6_route",
    "/proc/net/fib_trie",
    "/proc/net/tcp",
    "/proc/net/tcp6",
    "/proc/net/udp",
    "/proc/net/udp6",
)
"""The sockets last: of a busy pod there may be more than is taken."""

_SCRIPT = """
part() { printf '\\n%s %s\\n' "$0" "$*"; }
try() { part "$@"; "$@" 2>/dev/null; }
show() {
  [ -r "$1" ] || return 0
  part "$1"
  if [ "$cat" ]; then cat "$1" 2>/dev/null; return; fi
  while IFS= read -r line; do printf '%s\\n' "$line"; done <"$1"
  printf %s "$line"
}
links() {
  [ -d SYSFS ] || return 0
  part SYSFS
  for link in SYSFS/*; do
    for field in FIELDS; do
      [ -r "$link/$field" ] && read -r value <"$link/$field" || continue
      printf '%s %s %s\\n' "${link##*/}" "$field" "$value"
    done
  done 2>/dev/null
}
cat=; command -v cat >/dev/null 2>&1 && cat=1
if command -v ip >/dev/null 2>&1; then
  if try ip -j -d addr; then try ip -j -4 route; try ip -j -6 route; else try ip addr; fi
else links; fi
for file in FILES; do show "$file"; done
part end
"""
for _word, _text in (
    ("FILES", " ".join(FILES)),
    ("FIELDS", " ".join(sysfs.FIELDS)),
    ("SYSFS", sysfs.FOLDER),
):
    _SCRIPT = _SCRIPT.replace(_word, _text)

Parts = dict[str, bytes]
"""What was read, by file name or command line."""


def by_shell(mark: str) -> tuple[str, ...]:
    """The command that reads all of it; `mark` is a word that the files do not contain."""
    return ("sh", "-c", _SCRIPT, mark)


def parts_of(output: bytes, mark: str) -> tuple[Parts, bool]:
    """What `by_shell(mark)` wrote, taken apart; and whether that is all of it."""
    found: Parts = {}
    for piece in (b"\n" + output).split(b"\n" + mark.encode() + b" ")[1:]:
        name, _, content = piece.partition(b"\n")
        found.setdefault(name.decode("utf-8", "replace"), content)
    whole = found.pop("end", None) is not None
    return found, whole
