"""A mutating admission webhook for the pods of one namespace: what a mesh, or a policy of a cluster, does to them."""

import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from integration.operator.admin import Admin, Json
from standin.certificates import make_certificates

CONFIGURATIONS = "mutatingwebhookconfigurations"


@asynccontextmanager
async def pod_webhook(admin: Admin, namespace: str, folder: Path, patch: list[Json]) -> AsyncIterator[None]:
    """Have each pod that is created there changed by this JSON patch."""
    files = make_certificates(hosts=["127.0.0.1"], directory=folder)

    async def review(request: web.Request) -> web.Response:
        asked = await request.json()
        encoded = base64.b64encode(json.dumps(patch).encode()).decode()
        response: dict[str, Any] = {"uid": asked["request"]["uid"], "allowed": True, "patchType": "JSONPatch"}
        return web.json_response({**asked, "response": {**response, "patch": encoded}})

    app = web.Application()
    app.router.add_post("/", review)
    runner = web.AppRunner(app)
    await runner.setup()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    port = runner.addresses[0][1]
    bundle = base64.b64encode(files.ca.read_bytes()).decode()
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    configuration = {
        "metadata": {"name": namespace},
        "webhooks": [
            {
                "name": "pods.example.com",
                "clientConfig": {"url": f"https://127.0.0.1:{port}/", "caBundle": bundle},
                "rules": [rule],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }
        ],
    }
    await admin.create(CONFIGURATIONS, "", configuration)
    try:
        yield
    finally:
        await admin.delete(CONFIGURATIONS, "", namespace)
        await runner.cleanup()
