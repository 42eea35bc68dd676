"""Runners that are killed at any of their steps, and volumes that are full for a moment."""

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from session_runner.outbox.outbox import Outbox
from unit.runner.inbox_harness import PlayedStore


class Died(BaseException):
    """The process is killed here."""


@contextlib.contextmanager
def dying_at(step: int, page: PlayedStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the runner killed before or after one of its transactions, or calls of the page."""
    left, run, call = step, Outbox._run, page.call

    def passing() -> None:
        nonlocal left
        if left == 0:
            raise Died
        left -= 1

    def dying_run(self: Outbox, work: Any, *given: Any, **named: Any) -> Any:
        passing()
        result = run(self, work, *given, **named)
        passing()
        return result

    async def dying_call(script: str, argument: Any = None) -> Any:
        passing()
        result = await call(script, argument)
        passing()
        return result

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "_run", dying_run)
        patch.setattr(page, "call", dying_call)
        yield


def full_once(module: object, name: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have a function of a module find the volume full the next time; return a list that is empty until then."""
    work, failed = getattr(module, name), list[str]()

    def full(*given: Any, **named: Any) -> Any:
        if not failed:
            failed.append(name)
            raise sqlite3.OperationalError("database or disk is full")
        return work(*given, **named)

    monkeypatch.setattr(module, name, full)
    return failed
