"""Batching: what requests ask at the same time goes through the network together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from typing import Generic, TypeVar

__all__ = ["Batching"]

_Q = TypeVar("_Q")
_A = TypeVar("_A")


class Batching(Generic[_Q, _A]):
    """Answers questions in batches, one batch at a time.

    Args:
        answer: Answers a batch; runs in `thread`.
        most: Questions in a batch.
        thread: Where several share it, their batches take turns.
        batched: Told how many questions each batch has.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[_Q]], Sequence[_A]],
        *,
        most: int,
        thread: Executor,
        batched: Callable[[int], object] = lambda count: None,
    ) -> None:
        self._answer, self._most, self._thread, self._batched = answer, most, thread, batched
        self._queue: asyncio.Queue[tuple[_Q, asyncio.Future[_A]]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether questions are answered."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begin; in the event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End; questions that wait are cancelled."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        while not self._queue.empty():
            self._queue.get_nowait()[1].cancel()

    async def ask(self, question: _Q) -> _A:
        """Return the answer to a question, or raise what answering it raised."""
        future: asyncio.Future[_A] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((question, future))
        return await future

    async def _run(self) -> None:
        while True:
            batch = [await self._queue.get()]
            # None is held back for others: those who come while it is answered go together.
            while len(batch) < self._most and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            # Whoever has gone is not waited for.
            batch = [(question, future) for question, future in batch if not future.done()]
            if batch:
                self._batched(len(batch))
                await self._settle(batch)

    async def _settle(self, batch: Sequence[tuple[_Q, asyncio.Future[_A]]]) -> None:
        loop, questions = asyncio.get_running_loop(), [question for question, _ in batch]
        try:
            answers = await loop.run_in_executor(self._thread, self._answer, questions)
        except asyncio.CancelledError:
            for _, future in batch:
                future.cancel()
            raise
        except Exception as error:
            await self._mourn(batch, error)
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(answer)

    async def _mourn(
        self, batch: Sequence[tuple[_Q, asyncio.Future[_A]]], error: Exception
    ) -> None:
        """Answer one by one what could not be answered together: one alone may be to blame."""
        if len(batch) == 1:
            future = batch[0][1]
            if not future.done():
                future.set_exception(error)
            return
        for each in batch:
            await self._settle([each])
