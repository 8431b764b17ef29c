"""Writes distribution's storage tree directly: thousands of repositories and tags in a moment, without a push."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.content import Content


class StorageTree:
    """The folder that a distribution registry serves (`storage=` of start_distribution). Write before it starts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._base = root / "docker" / "registry" / "v2"

    def put(self, repository: str, content: Content, *tags: str) -> str:
        """A manifest with all that it needs, under these tags; its digest."""
        place = self._base / "repositories" / repository
        for need in content.needs:
            if need.is_manifest:
                self.put(repository, need)
            else:
                self._blob(need)
                _link(place / "_layers" / "sha256" / _hex(need), need.digest)
        self._blob(content)
        _link(place / "_manifests" / "revisions" / "sha256" / _hex(content), content.digest)
        for tag in tags:
            self.tag(repository, content.digest, tag)
        return content.digest

    def tag(self, repository: str, digest: str, tag: str) -> None:
        """One more tag on a manifest that is there."""
        _link(self._base / "repositories" / repository / "_manifests" / "tags" / tag / "current", digest)

    def _blob(self, content: Content) -> None:
        hexed = _hex(content)
        data = self._base / "blobs" / "sha256" / hexed[:2] / hexed / "data"
        if not data.exists():
            data.parent.mkdir(parents=True, exist_ok=True)
            data.write_bytes(content.raw)


def big_registry(root: Path, content: Content, *, repositories: int = 153, tags: int = 3000) -> dict[str, list[str]]:
    """A tree with `repositories` repositories and `tags` tags in all, spread unevenly; {repository: its tags}."""
    tree = StorageTree(root)
    made: dict[str, list[str]] = {}
    for n in range(repositories):
        made[f"team{n % 7}/service-{n:03}"] = []
    names = list(made)
    for n in range(tags):
        # Half of all tags lie in the first repository, so that it takes several pages.
        made[names[0] if n % 2 else names[(n // 2) % len(names)]].append(f"v{n % 40}.{n // 40}.{n % 3}-{n}")
    for name, wanted in made.items():
        tree.put(name, content)
        for tag in wanted:
            tree.tag(name, content.digest, tag)
    return made


def _hex(content: Content) -> str:
    return content.digest.partition(":")[2]


def _link(folder: Path, digest: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "link").write_text(digest)
