"""A bounded queue for one reader that ends with the error that broke its session."""

import asyncio
from collections import deque
from copy import copy
from typing import Generic, Self, TypeVar

from pipelines.sources.errors import SourceError, SourceUnavailable

T = TypeVar("T")


class Inbox(Generic[T]):
    """Items in order, then, once the session broke, its error again and again.

    Nothing is ever dropped: a full inbox is an error of the whole session, because a reader
    that lost a message could not know which candle is wrong.
    """

    def __init__(self, limit: int | None) -> None:
        self._items: deque[T] = deque()
        self._limit = limit
        self._failure: SourceError | None = None
        self._changed = asyncio.Event()

    def put(self, item: T) -> None:
        """Append an item; after the end of the session, nothing.

        Raises:
            SourceUnavailable: The reader is too slow; the inbox is full.
        """
        if self._failure is not None:
            return
        if self._limit is not None and len(self._items) >= self._limit:
            raise SourceUnavailable(f"{self._limit} messages wait unread; the reader is too slow")
        self._items.append(item)
        self._changed.set()

    def fail(self, error: SourceError) -> None:
        """Let the reader have what is there, then raise the error."""
        self._failure = self._failure or error
        self._changed.set()

    async def get(self) -> T:
        """Wait for the next item.

        Raises:
            SourceError: The session broke and all earlier items were read.
        """
        while not self._items:
            if self._failure is not None:
                raise again(self._failure)
            self._changed.clear()
            await self._changed.wait()
        return self._items.popleft()

    def drain(self) -> list[T]:
        """Return and remove all items that are there now."""
        items = list(self._items)
        self._items.clear()
        return items

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        return await self.get()


def again(failure: SourceError) -> SourceError:
    """Return a copy to raise, because several readers may raise the same failure."""
    error = copy(failure)  # with its attributes
    error.__cause__ = failure
    return error
