"""The service: from the files of a request to what the model says of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from fastapi import Request

from featkit.inference import Heat, Predictor
from featkit.serving._batching import Batching
from featkit.serving._metrics import Metrics
from featkit.serving._oracle import Oracle, Place, Question, Said
from featkit.serving._preparing import Preparing
from featkit.serving._room import Room
from featkit.serving._saying import about, said
from featkit.serving._thumbnails import Thumbnails
from featkit.serving._uploads import Upload, gone, uploads
from featkit.serving._warming import warm
from featkit.serving.answers import AboutModel, Answer, AnswerBody
from featkit.serving.limits import Limits
from featkit.serving.refusals import RefusedError, ending

__all__ = ["Service", "Wish"]

_BATCH = 32
"""Images that go through the network together, at most."""

_T = TypeVar("_T")


@dataclass(frozen=True)
class Wish:
    """What a request wants beside probabilities.

    Attributes:
        cases: Training cases to show of each image.
        heat: Whether to make heat maps.
        label: Their class; None for each image's most probable one.
        preview: Whether to show each image as the model was shown it.
    """

    cases: int = 0
    heat: bool = False
    label: str | None = None
    preview: bool = False


class Service:
    """One model, the processes that decode for it and the thread that asks it.

    Args:
        predictor: The model.
        limits: What is taken.
        thumbnails: Pictures of training cases; None for none.
        processes: That decode.

    Attributes:
        about: What is known of the model.
        metrics: What was done so far.
        thumbnails: As given.
    """

    def __init__(
        self, predictor: Predictor, *, limits: Limits, thumbnails: Thumbnails | None, processes: int
    ) -> None:
        self._predictor, self._limits, self._processes = predictor, limits, processes
        self._oracle = Oracle(predictor)
        self._room = Room(limits)
        self._preparing: Preparing | None = None
        self._answers: Batching[Question, Said] | None = None
        self._maps: Batching[Place, Heat | None] | None = None
        self.about: AboutModel = about(predictor.model, self._oracle, limits)
        self.metrics = Metrics(
            self._room, lost=lambda: self._preparing.lost if self._preparing else 0
        )
        self.thumbnails = thumbnails

    @property
    def able(self) -> bool:
        """Whether images can be answered."""
        return all(each is not None and each.alive for each in (self._answers, self._maps))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hold processes and thread, in the event loop."""
        stream = self._predictor.stream
        preparing = self._preparing = Preparing(
            stream.backbone.preprocessing,
            views=stream.views,
            limits=self._limits,
            processes=self._processes,
        )
        thread = ThreadPoolExecutor(1, thread_name_prefix="featkit-model")
        loop = asyncio.get_running_loop()
        answers = self._answers = Batching(
            self._oracle.answer, most=_BATCH, thread=thread, batched=self.metrics.batched
        )
        # Answers and maps take turns; a slow map holds answers up no longer than it takes alone.
        maps = self._maps = Batching(
            self._oracle.heat, most=1 if self._oracle.slow else _BATCH, thread=thread
        )
        try:
            await asyncio.gather(
                preparing.wake(), loop.run_in_executor(thread, warm, self._oracle, stream)
            )
            answers.start()
            maps.start()
            yield
        finally:
            await answers.stop()
            await maps.stop()
            await asyncio.to_thread(preparing.close)
            thread.shutdown(wait=False, cancel_futures=True)

    async def predict(self, request: Request, wish: Wish) -> AnswerBody:
        """Return what the model says of the files of a request.

        Args:
            request: With files.
            wish: What is wanted of them.

        Raises:
            RefusedError: The request as a whole is not answered.
        """
        label = self._label(wish.label)
        try:
            async with asyncio.timeout(self._limits.seconds):
                with self._room.visit() as visit:
                    files = await uploads(request, self._limits, visit)
                    visit.bring(images=len(files) - 1)
                    found = await _unless_gone(request, self._answer_all(files, wish, label))
        except TimeoutError:
            raise RefusedError(
                504,
                "too_slow",
                f"no answer within {self._limits.seconds:g} s",
                "Send fewer images, or try again later",
            ) from None
        return AnswerBody(model=self.about.name, images=found)

    async def _answer_all(
        self, files: Sequence[Upload], wish: Wish, label: int | None
    ) -> list[Answer]:
        return await asyncio.gather(*(self._answer(each, wish, label) for each in files))

    async def _answer(self, file: Upload, wish: Wish, label: int | None) -> Answer:
        if self._preparing is None or self._answers is None or self._maps is None:
            raise ending()
        try:
            image = await self._preparing.prepare(file.content, preview=wish.preview)
        except RefusedError as error:
            self.metrics.refused(error.refusal.code)
            return Answer(name=file.name, error=error.refusal)
        reply = await self._answers.ask(Question(image, wish.cases))
        heat, target = None, int(reply.probabilities.argmax()) if label is None else label
        if wish.heat:
            heat = await self._maps.ask(Place(image, target))
        self.metrics.said()
        return said(
            file.name,
            self._predictor.model,
            image,
            reply,
            heat=heat,
            heat_label=target,
            thumbnails=self.thumbnails,
        )

    def _label(self, name: str | None) -> int | None:
        classes = self._predictor.model.classes
        if name is None:
            return None
        if name not in classes:
            raise RefusedError(
                422,
                "no_such_class",
                "label: the model has no class of this name",
                f"Use one of {', '.join(classes)}",
            )
        return classes.index(name)


async def _unless_gone(request: Request, work: Coroutine[None, None, _T]) -> _T:
    """Return what work comes to, which ends when the client leaves.

    Raises:
        RefusedError: It has left.
    """
    doing, leaving = asyncio.create_task(work), asyncio.create_task(_left(request))
    try:
        await asyncio.wait({doing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise gone()
        return await doing
    finally:
        doing.cancel()
        leaving.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
