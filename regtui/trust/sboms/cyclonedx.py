"""CycloneDX 1.2 to 1.7, as JSON and as XML (cyclonedx.org)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from xml.parsers import expat

from regtui.oci.times import parse_time
from regtui.trust.errors import Malformed
from regtui.trust.sbom import Sbom, SbomPackage, finish
from regtui.trust.untrusted import LONGEST_TEXT, as_object, as_objects, as_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEEPEST: Final = 16
_LAYERS: Final = frozenset(
    {"aquasecurity:trivy:LayerDiffID", "aquasecurity:trivy:LayerDigest", "syft:location:0:layerID"}
)
_WANTED: Final = frozenset({"name", "version", "group", "purl", "cpe", "id", "expression", "publisher"})


def matches(body: dict[str, Any]) -> bool:
    """Whether this is CycloneDX."""
    return body.get("bomFormat") == "CycloneDX"


def parse(body: dict[str, Any]) -> Sbom:
    """The components, also nested ones; files are counted and not listed."""
    metadata = as_object(body.get("metadata"))
    components = list(_components(as_objects(body.get("components"))))
    files = sum(one.get("type") == "file" for one in components)
    return finish(
        (_package(one) for one in components if one.get("type") != "file"),
        format=f"CycloneDX {as_text(body.get('specVersion')) or ''}".strip(),
        name=as_text(as_object(metadata.get("component")).get("name")),
        created=parse_time(metadata.get("timestamp")),
        tools=tuple(_tools(metadata.get("tools"))),
        files=files or None,
    )


def _tools(tools: Any) -> Iterator[str]:
    listed = as_objects(as_object(tools).get("components")) if isinstance(tools, dict) else as_objects(tools)
    for one in listed:
        name, version = as_text(one.get("name")), as_text(one.get("version"))
        if name:
            yield f"{name} {version}" if version else name


def _components(listed: list[dict[str, Any]], depth: int = 0) -> Iterator[dict[str, Any]]:
    for one in listed:
        yield one
        if depth < _DEEPEST:
            yield from _components(as_objects(one.get("components")), depth + 1)


def _package(one: dict[str, Any]) -> SbomPackage:
    group, name = as_text(one.get("group")), as_text(one.get("name")) or "unknown"
    properties = {str(p.get("name")): as_text(p.get("value")) for p in as_objects(one.get("properties"))}
    supplier = as_text(as_object(one.get("supplier")).get("name"))
    return SbomPackage(
        f"{group}/{name}" if group else name,
        as_text(one.get("version")),
        tuple(_licences(one)),
        as_text(one.get("purl")),
        as_text(one.get("type")),
        supplier or as_text(one.get("publisher")) or as_text(one.get("author")),
        as_text(one.get("cpe")),
        next((properties[layer] for layer in sorted(_LAYERS) if properties.get(layer)), None),
    )


def _licences(one: dict[str, Any]) -> Iterator[str]:
    for said in as_objects(one.get("licenses")):
        licence = as_object(said.get("license"))
        text = as_text(licence.get("id")) or as_text(licence.get("name")) or as_text(said.get("expression"))
        if text:
            yield text


class _XmlReader:
    """Collects components of the XML form. Entities and document types are refused before they can grow."""

    def __init__(self) -> None:
        self.path: list[str] = []
        self.open: list[dict[str, Any]] = []
        self.components: list[dict[str, Any]] = []
        self.about: dict[str, str] = {}
        self.text = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if len(self.path) > 4 * _DEEPEST:
            raise Malformed("The SBOM is nested too deeply.")
        local = name.rpartition("}")[2].rpartition(":")[2]
        if local == "bom":
            self.about["namespace"] = attributes.get("xmlns", name)
        if local == "component":
            self.open.append({"type": attributes.get("type"), "licenses": []})
        self.path.append(local)
        self.text = ""

    def end(self, _: str) -> None:
        """An element ends: keep its text where it means something."""
        local = self.path.pop()
        parent = self.path[-1] if self.path else ""
        text = self.text.strip()[:LONGEST_TEXT]
        self.text = ""
        if local == "component":
            made = self.open.pop()
            if "metadata" in self.path:
                self.about["name"] = made.get("name", "")
            else:
                self.components.append(made)
        elif self.open and text:
            self._keep(local, parent, text)
        elif local == "timestamp":
            self.about["timestamp"] = text

    def _keep(self, local: str, parent: str, text: str) -> None:
        component = self.open[-1]
        if parent == "license" and local in ("id", "name"):
            component["licenses"].append({"license": {local: text}})
        elif parent == "licenses" and local == "expression":
            component["licenses"].append({"expression": text})
        elif parent == "component" and local in _WANTED:
            component[local] = text

    def data(self, text: str) -> None:
        """Some text of an element."""
        if len(self.text) < LONGEST_TEXT:
            self.text += text


def parse_xml(raw: bytes) -> Sbom:
    """The components of the XML form. Raises Malformed, also for any document type or entity declaration."""
    reader = _XmlReader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as error:
        raise Malformed("The SBOM is not valid XML.") from error
    namespace = reader.about.get("namespace", "")
    if "cyclonedx" not in namespace:
        raise Malformed("The SBOM is XML, and not CycloneDX.")
    return finish(
        (_package(one) for one in reader.components if one.get("type") != "file"),
        format=f"CycloneDX {namespace.rpartition('/')[2]} (XML)",
        name=reader.about.get("name") or None,
        created=parse_time(reader.about.get("timestamp")),
    )


def _refuse(*_: Any) -> None:
    raise Malformed("The SBOM declares a document type, which regtui does not read.")
