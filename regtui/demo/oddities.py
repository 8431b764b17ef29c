"""lab/odd: images that are legal and rare, for eyes and parsers: names, node types, compressions, no history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.demo.content import executable, text
from regtui.demo.images import Recipe, Step, moment
from regtui.demo.layers import Entry, Kind, Layer, Tree, build_layer
from regtui.demo.workshop import run_config, seconds
from regtui.oci import media_types

if TYPE_CHECKING:
    from collections.abc import Callable

    from regtui.demo.story import Release
    from regtui.demo.workshop import Workshop
    from regtui.oci import Platform


def odd(workshop: Workshop, release: Release, platform: Platform) -> Recipe:
    """The recipe of a tag."""
    return _RECIPES[release.version](release, platform)


def _names(release: Release, platform: Platform) -> Recipe:
    layers = (_nodes(release), _changes(release))
    steps = (
        Step("COPY nodes/ / # buildkit", build_layer(layers[0])),
        Step("RUN /bin/sh -c mv and replace # buildkit", build_layer(layers[1])),
    )
    return Recipe(platform, moment(release.created), steps, run_config(cmd=("/bin/true",)))


def _nodes(release: Release) -> Tree:
    tree = Tree(seconds(release))
    tree.file("bin/true", executable("true", 4_000), 0o755)
    tree.hard_link("bin/truth", "bin/true")
    tree.file("bin/su", executable("su", 6_000), 0o4755)
    tree.file("bin/wall", executable("wall", 5_000), 0o2755, gid=42)
    tree.add("dev/null", Entry(Kind.CHARACTER_DEVICE, mode=0o666, device=(1, 3)))
    tree.add("dev/loop0", Entry(Kind.BLOCK_DEVICE, mode=0o660, device=(7, 0)))
    tree.add("run/pipe", Entry(Kind.FIFO, mode=0o600))
    capability = bytes.fromhex("0100000200200000000000000000000000000000")
    tree.add("bin/ping", Entry(Kind.FILE, executable("ping", 7_000), 0o755, xattrs={"security.capability": capability}))
    tree.file("home/big-uid.txt", "owned by a user beyond octal\n", uid=3_000_000, gid=3_000_000)
    tree.file("names/" + "/".join(f"level-{n:02}" for n in range(24)) + "/deep.txt", "deep\n")
    tree.file("names/" + "long-" * 44 + "name.txt", "a name of more than 200 bytes\n")
    tree.file(b"names/latin-1-\xe9t\xe9.txt", "this name is not UTF-8\n")
    tree.file("names/日本語-ファイル.txt", "a name in UTF-8\n")
    tree.file("names/right-to-left-\u202egnp.exe", "the name turns direction\n")
    tree.file("names/escape-\x1b[31mred\x1b[0m.txt", "the name holds an escape sequence\n")
    tree.file("names/line\nbreak.txt", "the name holds a line break\n")
    tree.file("names/[red]markup[blink].txt", "the name looks like markup\n")
    tree.file("names/ space .txt", "the name starts and ends with a space\n")
    tree.file("names/empty.txt", b"")
    tree.symlink("links/absolute", "/bin/true")
    tree.symlink("links/dangling", "../nowhere")
    tree.symlink("links/loop", "loop")
    tree.symlink("links/outside", "../../../../etc/passwd")
    tree.file("swap/was-file", text("swap", 20))
    tree.file("swap/was-directory/inside.txt", text("inside", 20))
    tree.file("gone/by-whiteout.txt", text("gone", 40))
    tree.file("gone/by-opaque/below.txt", text("below", 40))
    return tree


def _changes(release: Release) -> Tree:
    """A file turns into a directory, a directory into a file, and two ways to delete."""
    tree = Tree(seconds(release) + 60)
    tree.file("swap/was-file/now-inside.txt", "it is a directory now\n")
    tree.file("swap/was-directory", "it is a file now\n")
    tree.delete("gone/by-whiteout.txt")
    tree.delete("gone/never-there.txt")
    tree.make_opaque("gone/by-opaque")
    tree.file("gone/by-opaque/above.txt", "only this is left\n")
    return tree


def _plain_files(release: Release) -> Tree:
    tree = Tree(seconds(release))
    tree.file("data/zeros.bin", bytes(300_000))
    tree.file("data/noise.bin", executable("noise", 120_000))
    tree.file("data/words.txt", text("words", 1_500))
    return tree


def _one_layer(layer: Layer, release: Release, platform: Platform) -> Recipe:
    step = Step("COPY data/ /data/ # buildkit", layer)
    return Recipe(platform, moment(release.created), (step,), run_config())


def _zstd(release: Release, platform: Platform) -> Recipe:
    return _one_layer(build_layer(_plain_files(release), media_types.OCI_LAYER_ZSTD), release, platform)


def _plain_tar(release: Release, platform: Platform) -> Recipe:
    return _one_layer(build_layer(_plain_files(release), media_types.OCI_LAYER), release, platform)


def _no_history(release: Release, platform: Platform) -> Recipe:
    """As Bazel or ko write it: layers, no history, the start of 1970 for a date."""
    made = _one_layer(build_layer(_plain_files(release)), release, platform)
    return Recipe(platform, moment("1970-01-01T00:00:00"), made.steps, made.run, without_history=True)


_RECIPES: dict[str, Callable[[Release, Platform], Recipe]] = {
    "names": _names,
    "zstd": _zstd,
    "plain-tar": _plain_tar,
    "no-history": _no_history,
}
