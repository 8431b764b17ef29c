"""Lists that come in pages over HTTP: names of repositories and tags, and referrers.

Which page comes next is decided in pages.py.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from regtui.oci import Index, InvalidManifest, parse_manifest
from regtui.oci import media_types as types
from regtui.oci.manifest import LARGEST_MANIFEST, MOST_DESCRIPTORS
from regtui.registries.contract import Page
from regtui.registries.pages import Pager
from regtui.transport.errors import BadAnswer, BadRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from regtui.oci import Descriptor, Digest
    from regtui.transport.client import RegistryClient

LARGEST_LIST: Final = 16 << 20
"""Bytes of one page of names: distribution 2.8 sends every tag of a repository in one body, 100,000 in 2.5 MB."""
_ROWS: Final = 2_000
"""Names that are handed on at once, so that a huge page does not hold up the event loop."""
_MOST_REFERRER_PAGES: Final = 200


async def list_names(
    client: RegistryClient,
    path: str,
    member: str,
    *,
    scope: str,
    is_legal: Callable[[str], bool],
    page_size: int | None,
    rest_at_once: bool = False,
) -> AsyncIterator[Page[str]]:
    """The names under `member` ("tags", "repositories"), page by page; at least one page, however empty.

    With `rest_at_once`, the second question leaves the size of the page to the registry: distribution 3 walks its
    storage again for every page, and then sends all the rest in one.
    Names that are not legal are left out, and counted in the last page. Raises BadAnswer and what `client` raises.
    """
    size = {"n": str(page_size)} if page_size else {}
    pager = Pager(size)
    illegal = 0
    while pager.query is not None:
        try:
            listed, link = await ask_names(client, path, member, pager.query, scope)
        except BadAnswer:
            if "n" in pager.query or not size:
                raise
            # All the rest at once was too much.
            pager.query = pager.query | size
            listed, link = await ask_names(client, path, member, pager.query, scope)
        new = pager.take(listed, link)
        if rest_at_once and pager.query is not None:
            without = {key: value for key, value in pager.query.items() if key != "n"}
            pager.query = without if pager.pages == 1 else without | size
        legal = tuple(name for name in new if is_legal(name))
        illegal += len(new) - len(legal)
        done = pager.query is None
        stopped = pager.stopped
        if done and illegal and stopped is None:
            stopped = f"{illegal:,} names that no client could use were left out."
        total = len(legal) if done and pager.pages == 1 and stopped is None else None
        for start in range(0, max(len(legal), 1), _ROWS):
            last = start + _ROWS >= len(legal)
            yield Page(legal[start : start + _ROWS], total, stopped if last else None)
            await asyncio.sleep(0)


async def ask_names(
    client: RegistryClient, path: str, member: str, query: Mapping[str, str], scope: str
) -> tuple[list[str], str | None]:
    """One page of names, and its Link header. distribution refuses an `n` above its limit: then it chooses."""

    async def ask(params: dict[str, str]) -> tuple[list[str], str | None]:
        headers = {"Accept": "application/json"}
        answer = await client.request("GET", path, params=params, headers=headers, scope=scope, limit=LARGEST_LIST)
        return _names_in(answer.json(), member), answer.headers.get("Link")

    try:
        return await ask(dict(query))
    except BadRequest as error:
        if error.code != "PAGINATION_NUMBER_INVALID" or "n" not in query:
            raise
    return await ask({key: value for key, value in query.items() if key != "n"})


async def ask_referrers(
    client: RegistryClient, path: str, scope: str, artifact_type: str | None
) -> tuple[Descriptor, ...]:
    """Every page of the referrers API, each referrer once. Raises BadAnswer for anything but indexes."""
    pager = Pager({"artifactType": artifact_type} if artifact_type else {}, most_pages=_MOST_REFERRER_PAGES)
    found: dict[Digest, Descriptor] = {}
    while pager.query is not None:
        headers = {"Accept": types.OCI_INDEX}
        answer = await client.request(
            "GET", path, params=pager.query, headers=headers, scope=scope, limit=LARGEST_MANIFEST
        )
        try:
            index = parse_manifest(answer.body, types.OCI_INDEX)
        except InvalidManifest as error:
            raise BadAnswer(
                f"{client.host} answered the question for referrers with something else.", host=client.host
            ) from error
        assert isinstance(index, Index)
        new = frozenset(pager.take([d.digest for d in index.manifests], answer.headers.get("Link")))
        found |= {d.digest: d for d in index.manifests if d.digest in new}
        if len(found) > MOST_DESCRIPTORS:
            raise BadAnswer(f"{client.host} lists more than {MOST_DESCRIPTORS:,} referrers.", host=client.host)
    return tuple(found.values())


def _names_in(body: object, member: str) -> list[str]:
    # null stands for an emptied repository, in distribution
    listed = body.get(member) if isinstance(body, dict) else None
    if listed is None and isinstance(body, dict):
        return []
    if not isinstance(listed, list):
        raise BadAnswer(f"The registry's answer has no list of {member}.")
    return [name for name in listed if isinstance(name, str)]
