"""`regtui diff`: how two images differ, of any registries or platforms: config, layers, files, packages."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from regtui.cli import exits
from regtui.cli.common import add_common, add_json, add_signing_in, session_of
from regtui.cli.output import print_json, print_table, say
from regtui.cli.progress import cleared, layers_progress
from regtui.contents.differences import Kind
from regtui.oci import Platform
from regtui.session import parse_image
from regtui.ui.words import UNKNOWN, count_text, size_text

if TYPE_CHECKING:
    import argparse

    from regtui.contents.differences import LayerDifference, PackageDifference
    from regtui.contents.file_differences import FileDifference
    from regtui.session import Session
    from regtui.session.differences import ImageDifferences

_SECTIONS: Final = ("config", "layers", "files", "packages")
_SIGNS: Final = {
    Kind.ADDED: "+",
    Kind.REMOVED: "-",
    Kind.CHANGED: "~",
    Kind.METADATA: "m",
    Kind.WRITTEN: "?",
    Kind.EQUAL: "=",
    Kind.MOVED: ">",
    Kind.RECOMPRESSED: "z",
    Kind.UP: "↑",
    Kind.DOWN: "↓",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `diff`."""
    parser.add_argument("before", metavar="REF", help="an image")
    parser.add_argument("after", metavar="REF", help="another, of any registry; or the same with --to-platform")
    parser.add_argument("--platform", metavar="OS/ARCH[/VARIANT]", help="which platform of an index, of both images")
    parser.add_argument("--to-platform", metavar="OS/ARCH[/VARIANT]", help="which platform of the second image")
    parser.add_argument("--only", choices=_SECTIONS, action="append", help="show this part alone (may be repeated)")
    parser.add_argument(
        "--full", action="store_true", help="read the layers that both share, too: tells added from changed for sure"
    )
    parser.add_argument("--hash", action="store_true", help="compare contents, not sizes and times (slower)")
    parser.add_argument("--exit-code", action="store_true", help="exit 3 when the images differ")
    add_json(parser)
    add_signing_in(parser)
    add_common(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Show what differs; the exit code."""
    session = session_of(arguments, parse_image(arguments.before).host)
    try:
        found = await _compare(session, arguments)
    finally:
        await session.close()
    for problem in found.problems:
        say(problem)
    wanted = arguments.only or _SECTIONS
    if arguments.json:
        told = differences_dict(found)
        print_json({key: value for key, value in told.items() if key not in _SECTIONS or key in wanted})
    else:
        _print(found, [section for section in _SECTIONS if section in wanted])
    _say_what_is_unknown(found)
    return exits.NEGATIVE if arguments.exit_code and differs(found) else exits.DONE


async def _compare(session: Session, arguments: argparse.Namespace) -> ImageDifferences:
    first, second = arguments.platform, arguments.to_platform or arguments.platform
    before = await session.image(parse_image(arguments.before), Platform.parse(first) if first else None)
    after = await session.image(parse_image(arguments.after), Platform.parse(second) if second else None)
    with cleared():
        return await session.differences(
            before, after, layers_progress(), full=arguments.full, hash_files=arguments.hash
        )


def differs(found: ImageDifferences) -> bool:
    """Whether anything differs besides how layers are compressed."""
    layers = any(layer.kind not in {Kind.EQUAL, Kind.RECOMPRESSED} for layer in found.layers)
    return bool(found.config or layers or found.files or found.packages.differences)


def _say_what_is_unknown(found: ImageDifferences) -> None:
    if found.config is None:
        say("The configs can't be compared: one of the images has none that can be read.")
    unsure = sum(1 for difference in found.files if not difference.sure)
    if unsure:
        say(f"{count_text(unsure)} files of the same size have another time: --hash compares what is in them.")
    written = any(difference.kind == Kind.WRITTEN for difference in found.files)
    if found.unread and (written or found.packages.unknown):
        count = f"{found.unread} layers that both share were" if found.unread > 1 else "The layer that both share was"
        unknown = " and ".join(found.packages.unknown)
        rest = f" Packages of {unknown} can't be compared so." if unknown else ""
        say(f"{count} not read: what is marked ? may be new or changed.{rest} --full reads them.")


def differences_dict(found: ImageDifferences) -> dict[str, Any]:
    """The JSON of a comparison (docs/cli.md)."""
    return {
        "before": {"reference": str(found.before.reference), "platform": _platform(found.before.platform)},
        "after": {"reference": str(found.after.reference), "platform": _platform(found.after.platform)},
        "config": None
        if found.config is None
        else [{"name": c.name, "before": c.before, "after": c.after} for c in found.config],
        "layers": [_layer_dict(layer) for layer in found.layers],
        "files": [_file_dict(difference) for difference in found.files],
        "packages": [_package_dict(package) for package in found.packages.differences],
        "packages_unknown": list(found.packages.unknown),
        "unread_layers": found.unread,
    }


def _platform(platform: Platform | None) -> str | None:
    return None if platform is None else str(platform)


def _layer_dict(layer: LayerDifference) -> dict[str, Any]:
    return {
        "change": layer.kind.value,
        "digest": layer.layer.digest,
        "size": layer.layer.size,
        "before": None if layer.before is None else layer.before + 1,
        "after": None if layer.after is None else layer.after + 1,
    }


def _file_dict(difference: FileDifference) -> dict[str, Any]:
    return {
        "path": difference.path,
        "change": difference.kind.value,
        "bytes": _delta(difference.before, difference.after),
        "before": difference.before,
        "after": difference.after,
        "files": difference.files,
        "sure": difference.sure,
    }


def _package_dict(package: PackageDifference) -> dict[str, Any]:
    return {
        "manager": package.manager,
        "name": package.name,
        "architecture": package.architecture,
        "change": package.kind.value,
        "before": package.before,
        "after": package.after,
        "bytes": None
        if package.bytes_before is None and package.bytes_after is None
        else _delta(package.bytes_before, package.bytes_after),
    }


def _delta(before: int | None, after: int | None) -> int | None:
    """How many bytes the second image has more; None when neither side is known."""
    return None if before is None and after is None else (after or 0) - (before or 0)


def _signed(size: int | None) -> str:
    if size is None:
        return UNKNOWN
    return f"{'+' if size > 0 else '-' if size < 0 else ''}{size_text(abs(size))}"


def _print(found: ImageDifferences, sections: list[str]) -> None:
    for number, section in enumerate(sections):
        if number:
            sys.stdout.write("\n")
        if section == "config":
            _section(section, ("config", "before", "after"), _config_rows(found))
        elif section == "layers":
            titles = ("", "layer", "size", "before", "after")
            _section(section, titles, _layer_rows(found), right=frozenset({2, 3, 4}))
        elif section == "packages":
            titles = ("", "package", "before", "after", "bytes")
            _section(section, titles, _package_rows(found), right=frozenset({4}))
        else:
            _print_files(found)


def _section(name: str, titles: tuple[str, ...], rows: list[list[str]], *, right: frozenset[int] = frozenset()) -> None:
    if rows:
        print_table(titles, rows, right=right)
    else:
        sys.stdout.write(f"{name}: no difference\n")


def _print_files(found: ImageDifferences) -> None:
    content = [d for d in found.files if d.kind != Kind.METADATA]
    metadata = [d for d in found.files if d.kind == Kind.METADATA]
    _section("files", ("", "bytes", "path"), [_file_row(d) for d in content], right=frozenset({1}))
    if metadata:
        sys.stdout.write("\n")
        _section("", ("", "mode, owner or time only"), [[_SIGNS[d.kind], d.path] for d in metadata])


def _config_rows(found: ImageDifferences) -> list[list[str]]:
    return [[c.name, _config_value(c.before), _config_value(c.after)] for c in found.config or ()]


def _config_value(value: str | None) -> str:
    """A port or volume has no value of its own: that it is there is what counts."""
    return UNKNOWN if value is None else value or "(set)"


def _layer_rows(found: ImageDifferences) -> list[list[str]]:
    return [
        [
            _SIGNS[layer.kind],
            layer.layer.digest.short,
            size_text(layer.layer.size),
            UNKNOWN if layer.before is None else str(layer.before + 1),
            UNKNOWN if layer.after is None else str(layer.after + 1),
        ]
        for layer in found.layers
    ]


def _file_row(difference: FileDifference) -> list[str]:
    files = f"  ({count_text(difference.files)} files)" if difference.files > 1 else ""
    unsure = "" if difference.sure else "  (by time)"
    size = _signed(_delta(difference.before, difference.after))
    return [_SIGNS[difference.kind], size, difference.path + files + unsure]


def _package_rows(found: ImageDifferences) -> list[list[str]]:
    return [
        [
            _SIGNS[p.kind],
            f"{p.manager} {p.name}" + (f":{p.architecture}" if p.architecture else ""),
            p.before or UNKNOWN,
            p.after or UNKNOWN,
            _signed(_package_dict(p)["bytes"]),
        ]
        for p in found.packages.differences
    ]
