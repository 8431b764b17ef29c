"""Recognising products: each row of the tables, and answers that say nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.registries.recognise import SIGNS, kind_of_answer, kind_of_host

API = {"Docker-Distribution-Api-Version": "registry/2.0"}


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("docker.io", "dockerhub"),
        ("registry-1.docker.io", "dockerhub"),
        ("ghcr.io", "ghcr"),
        ("public.ecr.aws", "ecr-public"),
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", "ecr"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "ecr"),
        ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", "ecr"),
        ("123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", "ecr"),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", "ecr"),
        ("gcr.io", "google"),
        ("eu.gcr.io", "google"),
        ("europe-west3-docker.pkg.dev", "google"),
        ("us-docker.pkg.dev", "google"),
        ("docker.us-central1.rep.pkg.dev", "google"),
        ("acme.azurecr.io", "acr"),
        ("acme-a1b2c3.azurecr.io", "acr"),
        ("acme.westeurope.geo.azurecr.io", "acr"),
        ("acme.azurecr.cn", "acr"),
        ("mcr.microsoft.com", "mcr"),
        ("quay.io", "quay"),
        ("registry.gitlab.com", "gitlab"),
        ("codeberg.org", "gitea"),
        ("acme.jfrog.io", "artifactory"),
        ("Acme.AzureCR.io", "acr"),
        ("quay.io:443", "quay"),
        ("localhost:5000", None),
        ("[::1]:5000", None),
        ("quay.io.evil.example", None),
        ("notgcr.io", None),
        ("a.b.gcr.io.example", None),
        ("12345.dkr.ecr.eu-central-1.amazonaws.com", None),
        ("registry.example.com", None),
    ],
)
def test_hosts(host, kind):
    assert kind_of_host(host) == kind


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (200, API, "distribution"),
        (401, {**API, "WWW-Authenticate": 'Basic realm="basic-realm"'}, "distribution"),
        (401, {**API, "WWW-Authenticate": 'Bearer realm="https://auth.test/token",service="r"'}, "distribution"),
        (404, {}, "distribution"),
        (401, {"WWW-Authenticate": ""}, "distribution"),
        (401, {**API, "X-JFrog-Version": "Artifactory/7.77.3"}, "artifactory"),
        (401, {"X-Artifactory-Id": "abc", "Server": "Nexus/3"}, "artifactory"),
        (
            401,
            {"WWW-Authenticate": 'Bearer realm="https://r.test/artifactory/api/docker/dock/v2/token",service="r:443"'},
            "artifactory",
        ),
        (401, {"WWW-Authenticate": 'Bearer realm="https://r.test/api/docker/null/v2/token"'}, "artifactory"),
        (200, {**API, "Server": "Nexus/3.94.0-12 (COMMUNITY)"}, "nexus"),
        (401, {"WWW-Authenticate": 'BASIC realm="Sonatype Nexus Repository Manager"'}, "nexus"),
        (401, {"Gitlab-Container-Registry-Version": "4.12.0-gitlab", **API}, "gitlab"),
        (
            401,
            {**API, "WWW-Authenticate": 'Bearer realm="https://git.test/jwt/auth",service="container_registry"'},
            "gitlab",
        ),
        (401, {"WWW-Authenticate": 'Bearer realm="https://h.test/service/token",service="harbor-registry"'}, "harbor"),
        (401, {"WWW-Authenticate": 'Bearer service="harbor-registry" , realm="https://h.test/x"'}, "harbor"),
        (401, {"WWW-Authenticate": 'Bearer realm="https://q.test/v2/auth",service="q.test"'}, "quay"),
        (
            401,
            {
                "WWW-Authenticate": 'Bearer realm="https://g.test/v2/token",service="container_registry",scope="*", '
                'Basic realm="https://g.test/v2",service="container_registry",scope="*"'
            },
            "gitea",
        ),
        (
            401,
            {
                "WWW-Authenticate": 'Bearer realm="https://n.test/v2/token", Basic realm="x"',
                "Server": "Nexus/3.70.0-01 (OSS)",
            },
            "nexus",
        ),
        (401, {"WWW-Authenticate": 'Bearer realm="https://x.test/v2/token"'}, "distribution"),
        (401, {"WWW-Authenticate": "basic realm=127.0.0.1:8080"}, "zot"),
        (200, {**API, "WWW-Authenticate": 'Bearer realm="https://z.test/token"'}, "zot"),
        (401, {"www-authenticate": 'basic realm="quoted"'}, "distribution"),
    ],
)
def test_answers(status, headers, kind):
    assert kind_of_answer(status, headers) == kind


def test_every_sign_has_a_row_above():
    rows = test_answers.pytestmark[0].args[1]
    assert {kind for kind, _ in SIGNS} <= {kind for _, _, kind in rows}


@given(st.integers(100, 599), st.dictionaries(st.sampled_from(["WWW-Authenticate", "Server", "X"]), st.text()))
def test_any_answer_is_recognised_as_something(status, headers):
    assert kind_of_answer(status, headers)


@given(st.text('basicerl m="\\,:/?[]', max_size=80))
def test_any_challenge_is_recognised_as_something(text):
    assert kind_of_answer(401, {"WWW-Authenticate": text})
