"""`GET /healthz` for whoever restarts the server, `GET /metrics` for Prometheus."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from chartserver.lifespan import State

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


async def get_health(request: Request[State]) -> Response:
    """Return whether the database answers, how old the newest rows and how late the sources are."""
    state = request.state
    up = await state["status"].look()
    hub, now = state["hub"], state["settings"].clock.now()
    body: dict[str, Any] = {
        "status": "ok" if up else "database out",
        "ages": state["status"].ages(now),
        "incomplete": state["status"].incomplete(now),
        "delay_seconds": state["status"].delay_seconds,
        "sources": state["status"].sources(now),
        "hub": {"connected": hub.connected, "cursor": str(hub.cursor), "clients": len(hub.clients)},
        "simulated": state["settings"].simulated,
    }
    if up:
        return JSONResponse(body)
    return JSONResponse(body | {"error": "the database does not answer"}, 503)


async def get_metrics(request: Request[State]) -> Response:
    """Return counters and gauges in Prometheus' text form."""
    hub = request.state["hub"]
    lag = asyncio.get_running_loop().time() - hub.checked_at
    metrics = [
        ("clients", "gauge", "Open streams.", len(hub.clients)),
        ("events_sent_total", "counter", "Events sent to all clients.", hub.events_sent),
        ("cursor", "gauge", "Number of the newest change read from the log.", hub.cursor.seq),
        ("lag_seconds", "gauge", "Since the log was last read to its end.", round(lag, 3)),
        ("connected", "gauge", "Whether the log's reader is connected.", int(hub.connected)),
        ("overflow_closes_total", "counter", "Clients closed for being slow.", hub.overflows),
        ("resets_total", "counter", "Times clients had to start over.", hub.resets),
    ]
    lines = []
    for name, kind, meaning, value in metrics:
        full = f"optionscalp_chart_{name}"
        lines += [f"# HELP {full} {meaning}", f"# TYPE {full} {kind}", f"{full} {value}"]
    return PlainTextResponse("\n".join(lines) + "\n", media_type=PROMETHEUS)


routes = [Route("/healthz", get_health), Route("/metrics", get_metrics)]
