"""Where checks run: as many threads as cores, a bounded queue before them, and then a refusal to come back later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import TypeVar

from geoplan.errors import Busy

Answer = TypeVar("Answer")


class CheckPool:
    """Threads for checks and places to wait for one.

    Parameters
    ----------
    workers
        Checks that run at one time.
    queue_length
        Further ones that may wait.
    """

    def __init__(self, workers: int, queue_length: int) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="check")
        self._places = BoundedSemaphore(workers + queue_length)

    def expect_place(self) -> None:
        """Refuse before an upload is taken in when every place is filled.

        Raises
        ------
        Busy
            There is no place now.
        """
        if not self._places.acquire(blocking=False):
            raise Busy("busy")
        self._places.release()

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Run some work in a thread and wait for it; its place is held until it has ended, even if nobody waits.

        Raises
        ------
        Busy
            There is no place now.
        """
        if not self._places.acquire(blocking=False):
            raise Busy("busy")
        try:
            future = self._threads.submit(work)
        except BaseException:
            self._places.release()
            raise
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """End the threads once what runs has ended; what waits is dropped."""
        self._threads.shutdown(wait=True, cancel_futures=True)
