"""Azure around its registries: a managed identity's endpoint, Resource Graph, Resource Manager; on loopback."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import parse_qs

from tests.fakes.acr import HOST, jwt
from tests.servers.oci11 import Asked, FakeRegistry, Reply, json_reply

RESOURCE = "/subscriptions/s-1/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/acme"
MANAGEMENT = "management.azure.com"


class FakeAzure(FakeRegistry):
    """`host` serves all of it. azure-identity itself asks the endpoint, as on an Azure App Service."""

    def __init__(self) -> None:
        super().__init__()
        self.issued: dict[str, str] = {}
        """Token → the resource that it is for."""
        self.rows: list[dict[str, Any]] = []
        self.queries: list[str] = []
        self.policies: dict[str, Any] | None = None
        self.may_look = True
        self.most = 2

    @property
    def environment(self) -> dict[str, str]:
        """What makes this process run as that managed identity."""
        return {
            "IDENTITY_ENDPOINT": f"http://{self.host}/msi/token",
            "IDENTITY_HEADER": "secret-header",
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        }

    def answer(self, asked: Asked) -> Reply:
        """One of the three services."""
        if asked.path == "/msi/token":
            return self.identity(asked)
        if self.issued.get(asked.headers.get("authorization", "").removeprefix("Bearer ")) != f"https://{MANAGEMENT}":
            return _error(401, "AuthenticationFailed", "Authentication failed.")
        if not self.may_look:
            return _error(403, "AuthorizationFailed", "The client does not have authorization.")
        if asked.path == "/providers/Microsoft.ResourceGraph/resources" and asked.query == {
            "api-version": "2021-03-01"
        }:
            return self.graph(asked)
        if asked.path == RESOURCE and asked.query == {"api-version": "2025-11-01"} and asked.method == "GET":
            return json_reply({"id": RESOURCE, "properties": {"loginServer": HOST, "policies": self.policies}})
        return _error(404, "ResourceNotFound", "no")

    def identity(self, asked: Asked) -> Reply:
        """A token for a resource."""
        query = {name: values[-1] for name, values in parse_qs(asked.target.partition("?")[2]).items()}
        if asked.headers.get("x-identity-header") != "secret-header":
            return _error(401, "unauthorized", "no")
        until = int(time.time()) + 3600
        token = jwt(upn="alice@example.com", aud=query["resource"], exp=until, number=len(self.issued))
        self.issued[token] = query["resource"]
        return json_reply(
            {"access_token": token, "expires_on": str(until), "resource": query["resource"], "token_type": "Bearer"}
        )

    def graph(self, asked: Asked) -> Reply:
        """Pages of rows by `$skipToken`."""
        body = json.loads(asked.body)
        self.queries.append(body["query"])
        if body["query"].startswith("resources "):
            rows = [{"id": RESOURCE}] if self.policies is not None else []
        else:
            rows = self.rows
        start = int(body["options"].get("$skipToken", "0"))
        page = rows[start : start + self.most]
        more = {"$skipToken": str(start + self.most)} if start + self.most < len(rows) else {}
        return json_reply(
            {"totalRecords": len(rows), "count": len(page), "resultTruncated": "false", "data": page, **more}
        )


def finding(number: int, severity: str = "High") -> dict[str, Any]:
    """One row of sub-assessments."""
    return {
        "properties": {
            "id": f"CVE-2026-{number:04}",
            "displayName": f"CVE-2026-{number:04}",
            "status": {"code": "Unhealthy", "severity": severity},
            "timeGenerated": f"2026-10-0{number + 1}T00:00:00Z",
            "additionalData": {
                "assessedResourceType": "AzureContainerRegistryVulnerability",
                "vulnerabilityDetails": {"severity": severity, "cveId": f"CVE-2026-{number:04}"},
                "softwareDetails": {"packageName": "openssl", "version": "3.0.0", "fixedVersion": "3.0.1"},
            },
        }
    }


def _error(status: int, code: str, message: str) -> Reply:
    return json_reply({"error": {"code": code, "message": message}}, status)
