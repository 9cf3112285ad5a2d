"""A strategy that remembers nothing: each time it is asked it is as this process had loaded it.

What code keeps between calls, in a module's dictionary or a cache, a later call could know the
future from. So it is asked in a copy of this process, which ends with its answer.
"""

import os
import pickle
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pipelines.catalogue.fault import StrategyFault
from strategy.strategy import Strategy


def forgetful(strategy: Strategy) -> Strategy:
    """Return the same strategy; its batch form is asked apart.

    A copy of a process with threads may wait for ever for one that it lacks: only the main thread,
    alone or beside threads of libraries that mind it, is to use this.
    """

    def evaluate(frames: Any, parameters: Any) -> Any:
        return _apart(strategy.name, lambda: strategy.evaluate(frames, parameters))

    return replace(strategy, evaluate=evaluate)


def _apart(name: str, work: Callable[[], Any]) -> Any:
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("strategies are asked apart by the main thread alone")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        # Whatever happens in here, nothing of this process's end is done: connections and files are
        # the other's.
        try:
            os.close(reader)
            _answer(writer, work)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    if not answer:
        raise StrategyFault(name, "ended its process")
    done, found = pickle.loads(answer)  # noqa: S301 - from a copy of ourselves
    if not done:
        raise found
    return found


def _answer(writer: int, work: Callable[[], Any]) -> None:
    try:
        answer = pickle.dumps((True, work()))
    except Exception as error:  # noqa: BLE001 - told to who asked
        answer = pickle.dumps((False, error))
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(answer)
