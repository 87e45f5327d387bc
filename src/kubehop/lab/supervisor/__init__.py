"""The process that holds a lab, and how to talk to it.

`place` is where a lab's state is, `start` forks what holds it, `service` answers orders over a
socket, `client` gives them. Nothing of a lab outlives it: the supervisor is PID 1 of its own PID
namespace, and a janitor outside removes the state when it ends; each does the other's work if it
is killed.
"""
