"""An SSE client as a browser is one: it resumes by `Last-Event-ID` whenever it is cut off."""

import json
import threading

import httpx


class Follower(threading.Thread):
    """Follows a stream until stopped; keeps every event with an id and each row's last state."""

    def __init__(self, url: str):
        super().__init__(daemon=True)
        self._url = url
        self._stopped_by_us = threading.Event()
        self._grown = threading.Condition()
        self.ids: list[str] = []
        self.state: dict[tuple, dict] = {}
        self.resets: list[dict] = []
        self.connections = 0

    def run(self) -> None:
        while not self._stopped_by_us.wait(0.05):
            headers = {"Last-Event-ID": self.ids[-1]} if self.ids else {}
            try:
                with httpx.stream("GET", self._url, headers=headers, timeout=20) as response:
                    assert response.status_code == 200, response.read()
                    self.connections += 1
                    self._read(response)
            except httpx.HTTPError:
                continue

    def _read(self, response: httpx.Response) -> None:
        fields: dict[str, str] = {}
        for line in response.iter_lines():
            if self._stopped_by_us.is_set():
                return
            if line:
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
            else:
                if "data" in fields:
                    self._take(fields)
                fields = {}

    def _take(self, fields: dict[str, str]) -> None:
        body = json.loads(fields["data"])
        kind = fields["event"]
        if kind == "reset":
            self.resets.append(body)
        if "id" not in fields:
            return
        key = {
            "candle": lambda: (kind, body["symbol"], body["interval"], body["t"]),
            "build_up": lambda: (kind, body["symbol"], body["t"]),
            "signal": lambda: (kind, body["signal_id"]),
        }[kind]()
        with self._grown:
            self.ids.append(fields["id"])
            self.state[key] = body
            self._grown.notify_all()

    @property
    def seq(self) -> int:
        return int(self.ids[-1].split(":")[1]) if self.ids else 0

    def wait_for(self, seq: int, seconds: float = 60) -> None:
        """Return when the event with that number, or a later one, has arrived."""
        with self._grown:
            assert self._grown.wait_for(lambda: self.seq >= seq, seconds), (self.seq, seq)

    def stop(self) -> None:
        self._stopped_by_us.set()
        self.join(30)
