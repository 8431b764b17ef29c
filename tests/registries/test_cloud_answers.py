"""What the clouds answer may be anything: what reads it never raises but as it says, and makes nothing up."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.oci import Digest
from regtui.registries import acr_azure, acr_rows, ecr_answers, google_answers
from regtui.registries.aws import aws_error
from regtui.registries.google_names import image_of, read_host, split_project
from regtui.transport.errors import BadAnswer, RegistryError
from regtui.transport.exchange import Answer
from regtui.transport.jwt import claims, ends, life
from tests.fakes.acr import jwt

DIGESTS = st.sampled_from([Digest.of(b"a"), Digest.of(b"b"), "sha256:short", "", "sha256:" + "G" * 64])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | DIGESTS
MEMBERS = st.sampled_from(
    [
        *("imageDigest", "imageTags", "imageSizeInBytes", "imagePushedAt", "imageScanFindingsSummary", "findings"),
        *("findingSeverityCounts", "imageManifestMediaType", "imageScanFindings", "imageScanStatus", "status", "rules"),
        *("selection", "tagStatus", "countType", "countNumber", "action", "type", "rulePriority", "tagPatternList"),
        *("imageTagMutability", "imageTagMutabilityExclusionFilters", "filter", "failureCode", "enhancedFindings"),
        *("digest", "name", "tags", "tag", "references", "os", "architecture", "changeableAttributes", "imageSize"),
        *("writeEnabled", "lastUpdateTime", "deletedAt", "manifest", "child", "timeUploadedMs", "imageSizeBytes"),
        *("discovery", "analysisStatus", "analysisStatusError", "message", "lastScanTime", "cleanupPolicies"),
        *("condition", "olderThan", "mostRecentVersions", "keepCount", "retentionPolicy", "softDeletePolicy", "days"),
        *("__type", "Message", "exp", "iat"),
    ]
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(MEMBERS | DIGESTS, inner, max_size=6)
)
OBJECTS = st.dictionaries(MEMBERS, JSON, max_size=8)


@given(OBJECTS, OBJECTS)
def test_ecr(image, repository):
    mutability = ecr_answers.Mutability.read(repository)
    rows = ecr_answers.image_rows(image, mutability)
    assert all(row.digest is None or row.digest == image["imageDigest"] for row in rows)
    assert all(row.size is None or row.size >= 0 for row in rows)
    assert isinstance(ecr_answers.not_deleted(image, "r.test"), RegistryError)


@given(st.lists(OBJECTS, max_size=4))
def test_ecr_findings(pages):
    report: dict = {}
    for page in pages:
        ecr_answers.add_findings(report, page)
    if report:
        assert ecr_answers.scan_report(report).state in {
            *("complete", "running", "queued", "failed", "unsupported", "none"),
        }


@given(st.text(max_size=50) | JSON.map(lambda value: json.dumps(value)) | SCALARS)
def test_ecr_policies(text):
    try:
        rules = ecr_answers.lifecycle({"lifecyclePolicyText": text}, "r.test")
    except BadAnswer:
        return
    assert all(sentence.endswith(".") for sentence in rules.sentences)


@given(st.integers(200, 599), st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()))
def test_aws_errors(status, body):
    error = aws_error("r.test", "ecr:X", Answer(status, {}, body, "https://r.test/"))
    assert isinstance(error, RegistryError)
    assert error.sentence.endswith(".")


@given(st.lists(OBJECTS, max_size=4), st.lists(OBJECTS, max_size=4))
def test_acr(tags, manifests):
    join = acr_rows.TagJoin()
    join.add_tags(tags)
    assert isinstance(join.waits, bool)
    join.add_manifests(manifests)
    rows = (*join.take(), *join.untagged())
    assert all(row.size is None or row.size >= 4096 for row in rows)
    acr_rows.deleted_manifests(manifests, tags)
    for entry in manifests:
        acr_azure.rules_of(entry)


@given(OBJECTS, st.lists(OBJECTS, max_size=4))
def test_google(body, occurrences):
    for row in google_answers.image_rows(body, True):
        assert row.digest is None or row.digest in body["manifest"]
    state, _ = google_answers.discovery(occurrences)
    google_answers.newest(occurrences)
    google_answers.scanned(state, None, occurrences, None)
    rules = google_answers.cleanup(body)
    assert rules is None or all(sentence.endswith(".") for sentence in rules.sentences)


@given(st.text(max_size=40))
def test_google_names(text):
    for host in ("gcr.io", "europe-docker.pkg.dev", text):
        place = read_host(host)
        image_of(place, text)
    project, rest = split_project(text)
    assert len(project) + len(rest) <= len(text) + 1


@given(st.text(max_size=60) | st.lists(st.text(max_size=10), min_size=3, max_size=3).map(".".join))
def test_web_tokens(text):
    assert isinstance(claims(text), dict)
    assert ends(text) is None
    assert life(text) is None


@pytest.mark.parametrize("value", [10**400, float("inf"), float("nan"), -1, 0, True, "5", None, []])
def test_web_tokens_with_odd_times(value):
    assert ends(jwt(exp=value)) is None
    assert life(jwt(exp=value, iat=1)) is None
    assert life(jwt(exp=5, iat=value)) is None
    assert ecr_answers.moment(value) is None


@pytest.mark.parametrize("value", ["it's", "\\", "'; drop", "a\\'b"])
def test_text_in_a_query_stays_text(value):
    quoted = acr_azure.quoted(value)
    inside = quoted[1:-1]
    assert quoted[0] == quoted[-1] == "'"
    assert inside.replace("\\\\", "").replace("\\'", "").count("'") == 0
