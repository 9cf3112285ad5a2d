"""`GET /healthz` for whoever restarts the server, `GET /metrics` for Prometheus."""

from typing import Any

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chartserver.lifespan import State
from chartserver.metrics import Metrics


async def get_health(request: Request[State]) -> Response:
    """Return whether the database answers, what is wrong, and how old the newest rows are."""
    state = request.state
    up = await state["status"].health()
    hub, now = state["hub"], state["status"].now()
    body: dict[str, Any] = {
        "status": "ok" if up else "database out",
        "problems": state["status"].problem_objects(),
        "ages": state["status"].ages(now),
        "incomplete": state["status"].incomplete(now),
        "delay_seconds": state["status"].delay_seconds,
        "sources": state["status"].sources(now),
        "hub": {"connected": hub.connected, "cursor": str(hub.cursor), "clients": len(hub.clients)},
        "simulated": state["status"].simulated,
    }
    if up:
        return JSONResponse(body)
    return JSONResponse(body | {"error": "the database does not answer"}, 503)


async def get_metrics(request: Request[State]) -> Response:
    """Return counters and gauges in Prometheus' text form; nothing is asked for them."""
    state = request.state
    body = generate_latest(Metrics(state["hub"], state["status"]))
    return Response(body, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})


routes = [Route("/healthz", get_health), Route("/metrics", get_metrics)]
