"""Every error that kubehop raises on purpose.

A drop, a reject or an NXDOMAIN is a *result*, never an exception: see `kubehop.trace`.

    KubehopError
    ├── InputError      what was given cannot be read; says file, document, object and field
    ├── UsageError      the question does not fit the cluster (no such Service, no such port)
    └── ClusterError    a live API could not be asked; says what and why
"""


class KubehopError(Exception):
    """Root of all errors raised on purpose; `str()` is one line for a user."""


class InputError(KubehopError):
    """Input that cannot be read.

    The parts are kept apart so that callers and tests need not parse the message:
    `file` as the user named it, `document` counted from 1 in a file that holds several,
    `object` as "Service default/web", `field` as "spec.ports[0].port".
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str = "",
        document: int | None = None,
        object: str = "",
        field: str = "",
    ) -> None:
        self.problem = problem
        self.file = file
        self.document = document
        self.object = object
        self.field = field
        super().__init__(problem)

    def __str__(self) -> str:
        where = (
            self.file,
            f"document {self.document}" if self.document is not None else "",
            f"{self.object}: {self.field}" if self.object and self.field else self.object,
            self.field if not self.object else "",
            self.problem,
        )
        return printable(": ".join(part for part in where if part))


class UsageError(KubehopError):
    """A question that this cluster cannot be asked; the message says what would fit."""

    def __str__(self) -> str:
        return printable(super().__str__())


class ClusterError(KubehopError):
    """A live cluster that could not be asked; the message says what failed and what to do."""

    def __str__(self) -> str:
        return printable(super().__str__())


def printable(text: str) -> str:
    """`text` on one line, with what could drive a terminal written as \\x escapes.

    Names and values come from manifests and clusters that nobody here wrote.
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
