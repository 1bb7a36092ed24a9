"""Turns at the desk, carried out one at a time in each conversation, and to their end once they have begun."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from storewise.agent.desk.reply import DeskEvent

AT_ONCE = 16  # turns of all conversations; more wait for a thread
PATIENCE = 20.0  # seconds for which a message waits for the one before it


class StillBusy(Exception):
    """The conversation's last message is not answered yet, and another one waits already."""


@dataclass
class _Seat:
    """One conversation's place: whoever holds the lock has the turn."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class Turns:
    """Runs turns. Of one conversation one runs and one waits; whoever comes third is told so.

    A turn that has begun runs to its end even if nobody listens any more, so that a change is never left
    between its yes and its answer.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="desk-turn")
        self._seats: dict[str, _Seat] = {}

    async def events(
        self, conversation: str, act: Callable[[], Iterator[DeskEvent]]
    ) -> AsyncIterator[DeskEvent]:
        """Yield a turn's events as they come.

        Raises:
            StillBusy: it did not get its turn. Whatever the turn itself raises comes through.
        """
        await self._sit(conversation)
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[DeskEvent | BaseException | None] = asyncio.Queue()

        def tell(what: DeskEvent | BaseException | None) -> None:
            with suppress(RuntimeError):  # the server has ended; the turn need not
                loop.call_soon_threadsafe(queue.put_nowait, what)

        def work() -> None:
            try:
                for event in act():
                    tell(event)
            except BaseException as error:
                tell(error)
            finally:
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(self._stand_up, conversation)
                tell(None)

        try:
            self._pool.submit(work)
        except RuntimeError:
            self._stand_up(conversation)
            raise
        while (event := await queue.get()) is not None:
            if isinstance(event, BaseException):
                raise event
            yield event

    def close(self) -> None:
        """Begin no more turns; those that run come to their end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _sit(self, conversation: str) -> None:
        seat = self._seats.setdefault(conversation, _Seat())
        if seat.lock.locked() and seat.waiting:
            raise StillBusy
        seat.waiting += 1
        try:
            async with asyncio.timeout(self._patience):
                await seat.lock.acquire()
        except TimeoutError:
            raise StillBusy from None
        finally:
            seat.waiting -= 1

    def _stand_up(self, conversation: str) -> None:
        seat = self._seats[conversation]
        seat.lock.release()
        if not seat.waiting:
            del self._seats[conversation]
