"""The HTTP API: all its routes and the server.

`__main__` serves the application from the start, so that a runner that is still starting answers, too. No route
touches the page: they read the store, or run a command with a deadline, so a page that hangs cannot block them.
`routes` lists the routes with their parameters and scopes, the modules `..._routes` have their handlers, `errors` has the
form of errors; `assembly` puts them together.
"""

import socket
from collections.abc import Iterable
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler
from session_protocol.bad_requests import QuietRunner

from session_runner.http.access import Access
from session_runner.http.bodies import LARGEST_BODY
from session_runner.http.cloud_api import CloudApi, largest_body
from session_runner.http.errors import problem_of, problems
from session_runner.http.routes import ROUTES
from session_runner.metrics.metrics import Metrics


class Routes(Protocol):
    """The handlers of some routes."""

    def handlers(self) -> dict[str, Handler]:
        """Return them by the names of their routes."""


def application(*, access: Access, routes: Iterable[Routes], cloud_api: CloudApi) -> web.Application:
    """Return the aiohttp application with all routes."""
    handlers = {name: handler for some in routes for name, handler in some.handlers().items()}
    app = web.Application(middlewares=[problems], client_max_size=LARGEST_BODY)
    for route in ROUTES:
        handler = access.guarded(route, handlers[route.name])
        app.router.add_route(route.method, route.path, handler)
        if route.head:
            app.router.add_head(route.path, handler)
    cloud_api.add_to(app)
    return app


async def serve(app: web.Application, *, port: int, metrics: Metrics) -> tuple[web.AppRunner, int]:
    """Listen on all interfaces, IPv6 included where available; return the aiohttp runner and the port.

    :raises OSError: the port cannot be used.
    """
    runner = QuietRunner(
        app,
        count=metrics.bad_requests.inc,
        answer=problem_of,
        closed=lambda reason: metrics.closed.labels(reason).inc(),
        largest_body=largest_body,
        shutdown_timeout=2.0,
    )
    await runner.setup()
    dual = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual else socket.AF_INET
    listener = socket.create_server(("", port), family=family, dualstack_ipv6=dual, backlog=128)
    await web.SockSite(runner, listener).start()
    return runner, int(listener.getsockname()[1])
