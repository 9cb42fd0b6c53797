import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featkit.serving._batching import Batching


def run(answer, talk, *, most=4, **options):
    """Let `talk(batching)` happen with a batching that answers so."""

    async def whole():
        with ThreadPoolExecutor(1) as thread:
            batching = Batching(answer, most=most, thread=thread, **options)
            batching.start()
            try:
                return await talk(batching)
            finally:
                await batching.stop()

    return asyncio.run(whole())


@settings(max_examples=25, deadline=None)
@given(
    waits=st.lists(st.integers(0, 4), min_size=1, max_size=30),
    most=st.integers(1, 7),
    slow=st.booleans(),
)
def test_everyone_gets_their_own_answer(waits, most, slow):
    batches = []

    def answer(questions):
        time.sleep(0.002 * slow)
        return [f"answer to {question}" for question in questions]

    async def talk(batching):
        async def ask(place, wait):
            await asyncio.sleep(wait / 1000)
            return await batching.ask(place)

        return await asyncio.gather(*(ask(*each) for each in enumerate(waits)))

    found = run(answer, talk, most=most, batched=batches.append)
    assert found == [f"answer to {place}" for place in range(len(waits))]
    assert sum(batches) == len(waits)
    assert max(batches) <= most


def test_what_waits_while_a_batch_is_answered_goes_together():
    batches, busy = [], threading.Event()

    def answer(questions):
        busy.wait(5)
        return questions

    async def talk(batching):
        first = asyncio.create_task(batching.ask(0))
        await asyncio.sleep(0.05)
        rest = [asyncio.create_task(batching.ask(place)) for place in range(1, 8)]
        await asyncio.sleep(0.01)
        busy.set()
        return await asyncio.gather(first, *rest)

    assert run(answer, talk, most=10, batched=batches.append) == list(range(8))
    assert batches == [1, 7]


def test_one_that_cannot_be_answered_spoils_no_other():
    def answer(questions):
        if 3 in questions:
            raise ValueError("three")
        return questions

    async def talk(batching):
        return await asyncio.gather(
            *(batching.ask(place) for place in range(6)), return_exceptions=True
        )

    found = run(answer, talk, most=6)
    assert isinstance(found[3], ValueError)
    assert [each for each in found if not isinstance(each, ValueError)] == [0, 1, 2, 4, 5]


def test_whoever_has_gone_is_not_answered():
    asked, busy = [], threading.Event()

    def answer(questions):
        asked.extend(questions)
        busy.wait(5)
        return questions

    async def talk(batching):
        first = asyncio.create_task(batching.ask("stays"))
        await asyncio.sleep(0.05)
        gone = asyncio.create_task(batching.ask("goes"))
        other = asyncio.create_task(batching.ask("stays too"))
        await asyncio.sleep(0.01)
        gone.cancel()
        busy.set()
        return await asyncio.gather(first, other)

    assert run(answer, talk) == ["stays", "stays too"]
    assert asked == ["stays", "stays too"]


def test_stopping_leaves_no_one_waiting():
    async def whole():
        busy = threading.Event()
        with ThreadPoolExecutor(1) as thread:
            batching = Batching(lambda _: busy.wait(5), most=1, thread=thread)
            batching.start()
            waiting = [asyncio.create_task(batching.ask(place)) for place in range(3)]
            await asyncio.sleep(0.02)
            assert batching.alive
            await batching.stop()
            busy.set()
            for each in waiting:
                with pytest.raises(asyncio.CancelledError):
                    await asyncio.wait_for(each, 5)
            assert not batching.alive

    asyncio.run(whole())
