"""What Azure itself knows of a registry: Microsoft Defender's findings, and the registry's policies.

Sources: Azure Resource Graph 2021-03-01; Defender for Cloud's sub-assessments of container images; Microsoft.Container-
Registry 2025-11-01. Only an Entra user can ask: a registry's own passwords are of no use here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from regtui.registries.azure import AzureBearer
from regtui.registries.contract import RetentionRules, ScanReport
from regtui.registries.fields import fields, moment, objects, text, whole
from regtui.transport.errors import BadAnswer, Forbidden, NotFound, Unauthorized, Unsupported

if TYPE_CHECKING:
    from regtui.oci import Digest
    from regtui.registries.azure import AzureIdentity
    from regtui.transport.client import RegistryClient

DEFENDER: Final = "Microsoft Defender"
FINDINGS: Final = "application/vnd.microsoft.defender.subassessments+json"
"""regtui's name for rows of sub-assessments; Microsoft has none."""
_ASSESSMENT: Final = "c0b7cfc6-3172-465a-b378-53c7ff2cc0d5"
"""Defender's key for "container images in the registry have their vulnerabilities resolved"."""
_MOST_ROWS: Final = 20_000
_UNKNOWN: Final = "No finding is known. Defender does not tell whether it has scanned the image and found nothing."


class AzureViews:
    """Azure Resource Graph and Resource Manager, for one registry."""

    def __init__(
        self, client: RegistryClient, host: str, identity: AzureIdentity, api_host: str, audience: str
    ) -> None:
        self._host = host
        self._identity = identity
        self._client = client.beside(api_host, auth=AzureBearer(identity, f"https://{audience}/.default"))

    async def findings(self, repository: str, digest: Digest) -> ScanReport:
        """Defender's findings of one image. Raises Unsupported when no Azure user is signed in, or it may not look."""
        query = (
            "securityresources"
            " | where type =~ 'microsoft.security/assessments/subassessments'"
            f" | where id contains '{_ASSESSMENT}'"
            " | extend a = properties.additionalData"
            " | where tostring(a.assessedResourceType) == 'AzureContainerRegistryVulnerability'"
            f" | where tostring(a.artifactDetails.registryHost) =~ {quoted(self._host)}"
            f" | where tostring(a.artifactDetails.repositoryName) =~ {quoted(repository)}"
            f" | where tostring(a.artifactDetails.digest) == {quoted(digest)}"
            " | project properties"
        )
        rows = await self._query(query)
        if not rows:
            return ScanReport("none", DEFENDER, message=_UNKNOWN)
        times = [moment(fields(row.get("properties")).get("timeGenerated")) for row in rows]
        return ScanReport(
            "complete",
            DEFENDER,
            scanner=DEFENDER,
            scanned_at=max((time for time in times if time is not None), default=None),
            media_type=FINDINGS,
            body={"data": rows},
        )

    async def policies(self) -> RetentionRules | None:
        """The registry's policies. Raises Unsupported when no Azure user is signed in, NotFound when it sees none."""
        rows = await self._query(
            "resources | where type =~ 'microsoft.containerregistry/registries'"
            f" | where tostring(properties.loginServer) =~ {quoted(self._host)} | project id"
        )
        found = next((text(row.get("id")) for row in rows), None)
        if found is None or not found.startswith("/subscriptions/"):
            raise NotFound(
                f"Azure shows {self._host} in none of your subscriptions.",
                hint="Ask for the role Reader on the registry.",
                host=self._host,
            )
        answer = await self._ask("GET", f"{found}?api-version=2025-11-01", None)
        return rules_of(fields(fields(fields(answer).get("properties")).get("policies")))

    async def _query(self, query: str) -> list[dict[str, Any]]:
        """All rows of a Resource Graph query."""
        rows: list[dict[str, Any]] = []
        token: str | None = None
        while True:
            options = {"$top": 1000, "resultFormat": "objectArray", **({"$skipToken": token} if token else {})}
            answer = await self._ask(
                "POST",
                "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01",
                {"query": query, "options": options},
            )
            rows += objects(answer.get("data"))
            following = text(answer.get("$skipToken"))
            if following is None or following == token or len(rows) >= _MOST_ROWS:
                return rows
            token = following

    async def _ask(self, method: str, path: str, body: object) -> dict[str, Any]:
        content = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json", **({"Content-Type": "application/json"} if content else {})}
        try:
            answer = await self._client.request(
                method, path, headers=headers, content=content, limit=32 << 20, reads=True
            )
        except (Unauthorized, Forbidden) as error:
            if self._identity.problem:
                hint = "Run `az login`; a registry's own password does not reach Azure."
                raise Unsupported(
                    f"Azure is not asked. {self._identity.problem}", hint=hint, host=self._host
                ) from error
            raise Forbidden(
                f"Azure does not show {self._identity.name or 'you'} what it knows of {self._host}.",
                hint="Ask for the roles Reader on the registry and Security Reader on its subscription.",
                host=self._host,
                status=error.status,
                code=error.code,
                detail=error.detail,
            ) from error
        found = answer.json()
        if not isinstance(found, dict):
            raise BadAnswer("Azure answered with no object.", host=self._host)
        return found


def quoted(value: str) -> str:
    """A string literal of KQL."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def rules_of(policies: dict[str, Any]) -> RetentionRules | None:
    retention, soft = fields(policies.get("retentionPolicy")), fields(policies.get("softDeletePolicy"))
    is_on, is_soft = (policy.get("status") == "enabled" for policy in (retention, soft))
    if not policies:
        return None
    sentences = []
    if is_on:
        sentences.append(f"Untagged manifests of Docker's types are deleted {whole(retention.get('days'))} days later.")
    if is_soft:
        sentences.append(f"What is deleted can be restored for {whole(soft.get('retentionDays'))} days.")
    if fields(policies.get("quarantinePolicy")).get("status") == "enabled":
        sentences.append("What is pushed stays in quarantine until a scanner lets it out.")
    return RetentionRules("acr", policies, tuple(sentences), enabled=is_on)
