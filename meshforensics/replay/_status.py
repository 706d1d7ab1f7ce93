"""Answers of an API server that are no objects: Status, for what went wrong."""

from typing import Any

import msgspec
from aiohttp import web

_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    410: "Expired",
    415: "UnsupportedMediaType",
}
NOT_FOUND = "the server could not find the requested resource"
READ_ONLY = "this is a replay of captured evidence: it is read-only, nothing can be changed, created or deleted"


class RefusedError(Exception):
    """A request that is answered by a Status object."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def as_json(body: object, code: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(body=msgspec.json.encode(body), status=code, content_type="application/json")


def failure(code: int, message: str) -> web.Response:
    """A Status object that says what went wrong."""
    return as_json(status(code, message), code)


def status(code: int, message: str) -> dict[str, Any]:
    """The body of a failure.

    >>> status(404, "no such pod")["reason"]
    'NotFound'
    """
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": _REASONS.get(code, "InternalError"),
        "code": code,
    }
