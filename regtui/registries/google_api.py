"""Google's REST APIs beside the registry: Artifact Registry and Artifact Analysis (Container Analysis), both v1.

Source: their discovery documents. int64 values are texts there; an unset page size is small.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from regtui.registries.fields import fields, objects, text
from regtui.transport.errors import BadAnswer, Forbidden, ServerFault, Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from regtui.transport.client import RegistryClient

ANALYSIS: Final = "containeranalysis.googleapis.com"
_PAGE: Final = "1000"
_MOST_PAGES: Final = 1_000
_LARGEST: Final = 32 << 20
_JUDGED: Final = frozenset({200, 403})
_PAUSES: Final = (0.5, 1.0, 2.0, 3.0, *([5.0] * 24))
"""Seconds between looks at an operation: about two minutes in all."""


class GoogleApi:
    """One of Google's APIs, as this user."""

    def __init__(
        self, client: RegistryClient, role: str, *, pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        """`client` is one beside the registry's; `role` is what a user who may not do this should ask for."""
        self._client = client
        self._role = role
        self.pause = pause

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """One resource. Raises RegistryError, Unsupported when the API is switched off in the project."""
        return await self._ask("GET", path, params)

    async def pages(self, path: str, params: Mapping[str, str] | None = None) -> AsyncIterator[dict[str, Any]]:
        """The answers of a listing. Raises BadAnswer when it goes in a circle."""
        query, asked = {"pageSize": _PAGE, **(params or {})}, set[str]()
        while len(asked) < _MOST_PAGES:
            answer = await self._ask("GET", path, query)
            yield answer
            token = answer.get("nextPageToken")
            if not isinstance(token, str) or not token:
                return
            if token in asked:
                raise BadAnswer(f"Google lists in a circle for {self._client.host}.", host=self._client.host)
            asked.add(token)
            query["pageToken"] = token

    async def delete(self, path: str) -> None:
        """Delete a resource, and wait for it. Raises NotFound, and ServerFault when it fails or takes too long."""
        operation = await self._ask("DELETE", path, None)
        for wait in _PAUSES:
            if operation.get("done") is True or not text(operation.get("name")):
                break
            await self.pause(wait)
            operation = await self._ask("GET", f"/v1/{text(operation.get('name'))}", None)
        else:
            raise ServerFault(
                f"Google is still deleting at {self._client.host}.",
                hint="Look again later whether it is gone.",
                host=self._client.host,
            )
        failed = fields(operation.get("error"))
        if failed:
            raise ServerFault(
                f"Google did not delete it at {self._client.host}.",
                hint="Its own words say why.",
                host=self._client.host,
                detail=(text(failed.get("message")) or "")[:500] or None,
            )

    async def _ask(self, method: str, path: str, params: Mapping[str, str] | None) -> dict[str, Any]:
        answer = await self._client.request(
            method, path, params=params, headers={"Accept": "application/json"}, expect=_JUDGED, limit=_LARGEST
        )
        body = answer.json()
        if not isinstance(body, dict):
            raise BadAnswer(f"Google answered for {self._client.host} with no object.", host=self._client.host)
        if answer.status == 403:
            raise self._refused(fields(body.get("error")))
        return body

    def _refused(self, error: Mapping[str, Any]) -> Forbidden | Unsupported:
        detail = (text(error.get("message")) or "")[:500] or None
        reasons = {text(entry.get("reason")) for entry in objects(error.get("details"))}
        host = self._client.host
        if "SERVICE_DISABLED" in reasons:
            return Unsupported(
                f"This API of Google's is switched off in the project of {host}.",
                hint="Its own words say which, and where it is switched on.",
                host=host,
                status=403,
                code="SERVICE_DISABLED",
                detail=detail,
            )
        code = text(error.get("status"))
        hint = f"Ask for the role {self._role}."
        return Forbidden(
            f"Google does not allow this to you at {host}.", hint=hint, host=host, code=code, detail=detail
        )
