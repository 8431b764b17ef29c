"""SARIF 2.1.0 (OASIS): Trivy's, Grype's and Docker Scout's way to write vulnerabilities, and any other tool's faults.

Package and versions are no members of that format: they are read out of the texts that these tools are known to write.
"""

from __future__ import annotations

import re
from typing import Any, Final

from regtui.trust.cvss import read_cvss
from regtui.trust.findings import Finding, Report
from regtui.trust.severity import Severity, severity_of, severity_of_score
from regtui.trust.untrusted import as_list, as_number, as_object, as_objects, as_text, as_texts

NAME = "SARIF"
_ID: Final = re.compile(r"(CVE-\d{4}-\d{3,}|GHSA(?:-[0-9a-z]{4}){3}|[A-Z]{2,8}-\d{4}[-:]\d+)", re.ASCII)
_LINE: Final = re.compile(r"^([A-Za-z][A-Za-z ]{1,30}?)\s*:[ \t]*(.*)$", re.MULTILINE)
_SENTENCE: Final = re.compile(r"in ([\w.-]+) package: (\S{1,300}), version (\S{1,300}) was found", re.ASCII)
_LEVELS: Final = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "note": Severity.LOW, "none": Severity.NEGLIGIBLE}


def matches(body: Any) -> bool:
    """Whether this is SARIF."""
    return isinstance(body, dict) and "runs" in body and str(body.get("version", "")).startswith("2.")


def parse(body: Any) -> Report:
    """The findings of all runs."""
    runs = as_objects(body.get("runs"))
    driver = as_object(as_object(runs[0].get("tool")).get("driver")) if runs else {}
    return Report(
        NAME,
        as_text(driver.get("name")),
        tuple(finding for run in runs for finding in _run(run)),
        scanner_version=as_text(driver.get("version") or driver.get("semanticVersion")),
        notes=() if runs else ("The report holds no run.",),
    )


def _run(run: dict[str, Any]) -> list[Finding]:
    driver = as_object(as_object(run.get("tool")).get("driver"))
    rules = as_objects(driver.get("rules"))
    by_id = {str(rule.get("id")): rule for rule in rules}
    found: list[Finding] = []
    for result in as_objects(run.get("results")):
        index = result.get("ruleIndex")
        listed = rules[index] if isinstance(index, int) and 0 <= index < len(rules) else {}
        rule = by_id.get(str(result.get("ruleId")), listed)
        found.append(_finding(result, rule, as_text(driver.get("name"))))
    return found


def _finding(result: dict[str, Any], rule: dict[str, Any], tool: str | None) -> Finding:
    message = as_text(as_object(result.get("message")).get("text")) or ""
    help_text = as_text(as_object(rule.get("help")).get("text")) or ""
    said = {name.lower(): value.strip() for name, value in (*_LINE.findall(help_text), *_LINE.findall(message))}
    properties = as_object(rule.get("properties"))
    rule_id = as_text(result.get("ruleId") or rule.get("id")) or "unknown"
    known = _ID.match(rule_id)
    sentence = _SENTENCE.search(message)
    word, severity = _severity(said, properties, result, rule)
    fixed = said.get("fixed version") or said.get("fix version") or as_text(properties.get("fixed_version")) or ""
    return Finding(
        known.group(1) if known else rule_id,
        severity,
        word,
        package=said.get("package") or (sentence.group(2) if sentence else None),
        installed=said.get("installed version") or said.get("version") or (sentence.group(3) if sentence else None),
        fixed=tuple(one.strip() for one in fixed.split(",") if one.strip() and one.strip() != "not fixed"),
        cvss=read_cvss(
            properties.get("cvssv3_baseScore", properties.get("security-severity")), properties.get("cvssv3_vector")
        ),
        title=as_text(as_object(rule.get("shortDescription")).get("text")) or ("" if known else message[:300]) or None,
        description=as_text(as_object(rule.get("fullDescription")).get("text")) or message or None,
        links=as_texts([rule.get("helpUri")]),
        path=_path(result),
        purl=next(iter(as_texts(properties.get("purls"))), None),
        package_type=sentence.group(1) if sentence else said.get("type"),
        kind="vulnerability" if known else "other",
        status="suppressed" if as_list(result.get("suppressions")) else None,
        source=tool,
    )


def _severity(
    said: dict[str, str], properties: dict[str, Any], result: dict[str, Any], rule: dict[str, Any]
) -> tuple[str | None, Severity]:
    """The tool's word in text or tags, else its score, else SARIF's own level."""
    for word in (said.get("severity"), properties.get("cvssV3_severity"), *as_list(properties.get("tags"))):
        severity = severity_of(word)
        if severity is not Severity.UNKNOWN or str(word).upper() == "UNKNOWN":
            return as_text(word), severity
    score = as_number(properties.get("security-severity"))
    if score is not None:
        return as_text(properties.get("security-severity")), severity_of_score(score)
    level = result.get("level") or as_object(rule.get("defaultConfiguration")).get("level") or "warning"
    return as_text(level), _LEVELS.get(str(level), Severity.UNKNOWN)


def _path(result: dict[str, Any]) -> str | None:
    for location in as_objects(result.get("locations")):
        logical = next(iter(as_objects(location.get("logicalLocations"))), {})
        physical = as_object(as_object(location.get("physicalLocation")).get("artifactLocation"))
        found = as_text(logical.get("name")) or as_text(physical.get("uri"))
        if found:
            return found
    return None
