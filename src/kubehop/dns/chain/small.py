"""Plugins of a few lines: `any` and `minimal`."""

from dataclasses import replace

from kubehop.dns.chain.handler import Rest, Settles
from kubehop.dns.chain.values import Asked, Serve, Unwritten
from kubehop.dns.message import Question, Rcode, Record, Reply


class AnyHandler:
    """Questions of type ANY get one HINFO (RFC 8482, `plugin/any/any.go`)."""

    __slots__ = ()

    def serve(self, asked: Asked, now: float, rest: Rest) -> Serve:
        if asked.question.type != "ANY":
            return (yield from rest(asked, now))
        data = '"ANY obsoleted" "See RFC 8482"'
        return Reply(Rcode.NOERROR, (Record(asked.question.name, 8482, "HINFO", data),))

    def settles(self, question: Question, name: str) -> Settles:
        return Settles.FIXED if question.type == "ANY" else Settles.PASSES


class MinimalHandler:
    """Answers without authority and additional section (`plugin/minimal/minimal.go`).

    Where the next plugin leaves the reply to the server CoreDNS's panics: SERVFAIL.
    """

    __slots__ = ()

    def serve(self, asked: Asked, now: float, rest: Rest) -> Serve:
        answer = yield from rest(asked, now)
        if isinstance(answer, Unwritten) and answer.sent is None:
            return answer if answer.error else Unwritten(Rcode.SERVFAIL)
        answer = answer.seen if isinstance(answer, Unwritten) else answer
        refers = any(record.type in ("SOA", "NS") for record in answer.authority)
        if answer.rcode is not Rcode.NOERROR or (refers and not answer.answer):
            return answer
        return replace(answer, authority=(), additional=())

    def settles(self, question: Question, name: str) -> Settles:
        return Settles.PASSES
