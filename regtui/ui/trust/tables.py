"""The tables of documents: facts, packages of an SBOM, statements of VEX, findings of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from regtui.trust.purl import parse_purl
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.trust.words import SEVERITY_TONES
from regtui.ui.widgets.columns import Column, Tone
from regtui.ui.widgets.row_table import RowTable
from regtui.ui.words import UNKNOWN, time_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from regtui.trust.findings import Finding
    from regtui.trust.sbom import SbomPackage
    from regtui.trust.vex import VexStatement
    from regtui.ui.facts.overview import Fact

VALUES_FROM: Final = 22
"""Cells of a table of facts that are no room for values."""
_TONES: Final[Mapping[str, Tone]] = {"head": "accent", "warn": "warning", "dim": "dim", "error": "error"}


def facts_table(name: str, title: SafeText) -> RowTable[Fact]:
    """Names and values."""
    columns: list[Column[Fact]] = [
        Column("name", SafeText(""), lambda fact: fact.name, 15, tone="dim"),
        Column("value", SafeText(""), lambda fact: fact.value, 20, flex=1, tone=lambda fact: _TONES.get(fact.kind, "")),
    ]
    return RowTable(
        columns, key=id, text=lambda fact: f"{fact.name} {fact.value}", title=title, show_header=False, id=name
    )


def packages_table(title: SafeText) -> RowTable[SbomPackage]:
    """The packages of an SBOM; the filter looks in name, version, licence, purl and supplier."""
    columns: list[Column[SbomPackage]] = [
        Column("name", SafeText("package"), lambda one: safe(one.name), 18, flex=2, sort=lambda one: one.name.lower()),
        Column("version", SafeText("version"), lambda one: safe(one.version or UNKNOWN), 14, flex=1),
        Column("type", SafeText("type"), lambda one: safe(_type_of(one) or UNKNOWN), 8, priority=3,
               sort=_type_of),
        Column("licences", SafeText("licences"), lambda one: safe(", ".join(one.licences) or UNKNOWN), 14, flex=1,
               priority=1, sort=lambda one: ", ".join(one.licences) or None),
        Column("purl", SafeText("purl"), lambda one: safe(one.purl or UNKNOWN), 20, flex=2, tone="dim", priority=2),
    ]  # fmt: skip
    return RowTable(columns, key=id, text=_package_text, title=title, id="packages")


def _type_of(one: SbomPackage) -> str | None:
    """What kind of package it is; SPDX says it in the package URL alone."""
    purl = parse_purl(one.purl)
    return one.type or (purl.type if purl is not None else None)


def _package_text(one: SbomPackage) -> str:
    parts = (one.name, one.version, one.type, one.supplier, one.purl, *one.licences)
    return " ".join(part for part in parts if part)


def statements_table(title: SafeText) -> RowTable[VexStatement]:
    """The statements of a VEX document."""
    columns: list[Column[VexStatement]] = [
        Column("names", SafeText("vulnerability"), lambda one: safe(" ".join(one.vulnerabilities)), 18),
        Column("status", SafeText("status"), lambda one: safe(one.status.replace("_", " ")), 19,
               sort=lambda one: one.status),
        Column("why", SafeText("because"), _because, 20, flex=2),
        Column("products", SafeText("products"), _products, 18, flex=2, tone="dim", priority=2),
        Column("moment", SafeText("said"), lambda one: safe(time_text(one.moment)), 20, tone="dim", priority=1),
    ]  # fmt: skip
    text = lambda one: f"{' '.join(one.vulnerabilities)} {one.status} {_because(one)} {_products(one)}"  # noqa: E731
    return RowTable(columns, key=id, text=text, title=title, id="statements")


def _because(one: VexStatement) -> SafeText:
    return safe(" · ".join(part for part in (one.justification, one.statement) if part) or UNKNOWN, 600)


def _products(one: VexStatement) -> SafeText:
    named = [" ".join((product.id, *product.parts)) for product in one.products]
    return safe(", ".join(named) or "what it is attached to", 600)


def findings_table(title: SafeText) -> RowTable[Finding]:
    """The findings of one report, as it says them: no VEX of others is applied here."""
    columns: list[Column[Finding]] = [
        Column("severity", SafeText("severity"), lambda one: SafeText(one.severity.value), 10,
               sort=lambda one: one.severity.rank, tone=lambda one: SEVERITY_TONES[one.severity]),
        Column("id", SafeText("id"), lambda one: safe(one.id), 19, sort=lambda one: one.id),
        Column("package", SafeText("package"), lambda one: safe(one.package or one.path or UNKNOWN), 14, flex=1,
               sort=lambda one: one.package),
        Column("installed", SafeText("installed"), lambda one: safe(one.installed or UNKNOWN), 12, flex=1, priority=1),
        Column("fixed", SafeText("fixed in"), lambda one: safe(one.fix_words or UNKNOWN), 12, flex=1, tone="dim",
               priority=2),
        Column("title", SafeText("title"), lambda one: safe(one.title or ""), 16, flex=2, tone="dim", priority=3),
    ]  # fmt: skip
    return RowTable(columns, key=id, text=_finding_text, title=title, id="report-findings")


def _finding_text(one: Finding) -> str:
    parts = (one.severity.value, one.id, *one.aliases, one.package, one.installed, one.title)
    return " ".join(part for part in parts if part)
