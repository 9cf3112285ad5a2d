"""What is still to be asked, and what came: shared by those who ask at the same time."""

from collections import deque
from collections.abc import Callable, Iterable

from pipelines.sources.errors import PayloadInvalid, SourceError, SourceRefused
from pipelines.sources.series import History, HistoryRequest, ignore


class Questions:
    """Requests in order, each asked once, and once more after its connection broke."""

    def __init__(
        self, requests: Iterable[HistoryRequest], taken: Callable[[History], None] = ignore
    ) -> None:
        self._taken = taken
        self._waiting = deque(requests)
        self._symbols = [request.symbol for request in self._waiting]
        if len(set(self._symbols)) < len(self._symbols):
            raise ValueError("a symbol is asked for twice")
        self._answers: dict[str, History | SourceError] = {}
        self._asked_again: set[str] = set()
        self._kept: set[bytes] = set()
        self._why_not: SourceError | None = None
        self._refused = False

    def __len__(self) -> int:
        return len(self._waiting)

    def next(self) -> HistoryRequest | None:
        """Return the next request to ask; None when there is none left."""
        return self._waiting.popleft() if self._waiting else None

    def answered(self, request: HistoryRequest, history: History) -> None:
        """Keep an answer, and hand it on."""
        self._answers[request.symbol] = history
        self._taken(history)

    def failed(
        self,
        request: HistoryRequest,
        error: SourceError,
        *,
        broke: bool,
        blameless: bool = False,
    ) -> None:
        """Keep why there is no answer, or let the request be asked again.

        Args:
            request: What was asked.
            error: What came of it. After a refusal nothing more is asked.
            broke: Whether the connection broke, for all who were waiting on it.
            blameless: Whether it broke for no fault of a request: that does not count.
        """
        if isinstance(error, SourceRefused):
            self.give_up(error)
        again = broke and not self._refused and request.symbol not in self._asked_again
        if again and not self._tells(error):
            if not blameless:
                self._asked_again.add(request.symbol)
            self._waiting.append(request)
        else:
            self._answers[request.symbol] = error

    def give_up(self, error: SourceError) -> None:
        """Keep why requests that nobody asks will have no answer; after a refusal that is all."""
        self._why_not = error
        if isinstance(error, SourceRefused):
            self._refused = True
            self._waiting.clear()

    def answers(self) -> dict[str, History | SourceError]:
        """Return what there is for each symbol, in the order of the requests."""
        answers: dict[str, History | SourceError] = {}
        for symbol in self._symbols:
            answer = self._answers.get(symbol, self._why_not)
            if answer is None:
                raise RuntimeError(f"{symbol} was neither asked nor given up")
            answers[symbol] = answer
        return answers

    def _tells(self, error: SourceError) -> bool:
        """Tell whether an error has bytes that no other answer here has: they must be archived."""
        if not isinstance(error, PayloadInvalid) or error.body in self._kept:
            return False
        self._kept.add(error.body)
        return True
