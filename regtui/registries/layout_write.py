"""Changes an OCI image layout folder: blobs, names, garbage. Blocking; runs in threads. Safe beside other processes.

Source: OCI image-spec v1.1, image-layout.md. Nothing half-written ever has its final name: a blob is written beside it
and renamed once its digest is right, index.json is replaced as a whole under a lock (that of the file oci-layout).
What index.json says that is none of regtui's business is kept.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from regtui.oci import Digest, Index, RegtuiError, Verifier, parse_manifest
from regtui.oci import media_types as types
from regtui.oci.manifest import LARGEST_MANIFEST, parse_json_object
from regtui.registries.archive import InvalidLayout
from regtui.registries.layout_content import LARGEST_INDEX, FolderContent
from regtui.registries.layout_names import REF_NAME, default_repository, name_of_entry
from regtui.storage.files import read_bounded, reason_of, sync_folder
from regtui.storage.locks import try_lock, wait_for_lock
from regtui.transport.errors import Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from regtui.oci import Descriptor, Manifest

GRACE: Final = 3600.0
"""Seconds for which garbage is left alone: another process may be about to name it."""
_PATIENCE: Final = 30.0
_CHUNK: Final = 1 << 20
_LAYOUT: Final = b'{"imageLayoutVersion":"1.0.0"}'
_PARTIAL: Final = ".partial"
_BINARY: Final = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


@dataclass(frozen=True, slots=True)
class Garbage:
    """Blobs that nothing in the layout leads to, with their bytes on the disk."""

    digests: tuple[str, ...]
    bytes: int


class LayoutWriter:
    """One layout folder. Raises InvalidLayout when the disk refuses, and what each method names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.own_repository = default_repository(str(folder))

    @classmethod
    def create(cls, folder: Path) -> LayoutWriter:
        """An empty layout in a new or empty folder; a layout that is there stays as it is.

        Raises InvalidLayout for a folder that holds something else.
        """
        made = cls(folder)
        if (folder / "index.json").is_file():
            return made
        try:
            folder.mkdir(parents=True, exist_ok=True)
            strange = [p.name for p in folder.iterdir() if p.name not in {"oci-layout", "blobs", "index.json"}]
            if strange:
                raise InvalidLayout(
                    f"{folder} is no OCI image layout and is not empty: it holds {strange[0][:80]!a}.",
                    hint="Name a folder that does not exist yet.",
                )
            with made._locked():
                if not (folder / "index.json").is_file():
                    empty = {"schemaVersion": 2, "mediaType": types.OCI_INDEX, "manifests": []}
                    _replace(folder / "index.json", json.dumps(empty, separators=(",", ":")).encode())
        except OSError as error:
            raise _refused(folder, error) from error
        return made

    def put(self, repository: str, tag: str | None, manifest: Manifest) -> None:
        """Store a manifest and name it; without a tag it is listed unless something else leads to it."""
        self.store(manifest.digest, manifest.raw)
        children = {d.digest for d in manifest.manifests} if isinstance(manifest, Index) else set()
        with self.entries() as entries:
            kept = [e for e in entries if not (_nameless(e) and e.get("digest") in {*children, manifest.digest})]
            if tag is not None:
                kept = [e for e in kept if self._name(e) != (repository, tag)]
                name = tag if repository == self.own_repository else f"{repository}:{tag}"
                kept.append({**manifest.descriptor.to_json(), "annotations": {REF_NAME: name}})
            elif all(e.get("digest") != manifest.digest for e in kept) and not self._is_held(kept, manifest.digest):
                kept.append(manifest.descriptor.to_json())
            entries[:] = kept

    def untag(self, repository: str, tag: str) -> None:
        """Take a name away; the manifest stays until garbage is collected. Raises NotFound."""
        with self.entries() as entries:
            kept = [e for e in entries if self._name(e) != (repository, tag)]
            if len(kept) == len(entries):
                raise NotFound(f"{self.folder} has no tag {tag[:128]!a} in {repository[:120]!a}.")
            entries[:] = kept

    def remove(self, repository: str, digest: Digest) -> None:
        """Remove a manifest with its names here; its blobs stay until garbage is collected. Raises NotFound.

        Where another repository of this layout holds it, its bytes stay for that one.
        """
        path = self._path(digest)
        if not path.is_file():
            raise NotFound(f"{digest.short} is not in {self.folder}.")
        with self.entries() as entries:
            others = [e for e in entries if not _nameless(e) and self._name(e)[0] != repository]
            is_held = self._is_held(others, digest)
            entries[:] = [e for e in entries if e.get("digest") != digest or e in others]
        if not is_held:
            path.unlink(missing_ok=True)

    def store(self, digest: Digest, content: bytes) -> None:
        """A small blob, whole. Raises DigestMismatch."""
        digest.verify(content)
        path = self._path(digest)
        if path.is_file() and path.stat().st_size == len(content):
            with suppress(OSError):
                os.utime(path)  # it is needed again: no garbage for a while
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, content)
        except OSError as error:
            raise _refused(path, error) from error

    def begin(self, descriptor: Descriptor, *, resume: bool = True) -> Incoming:
        """A blob about to be written; with `resume` what an earlier try left of it counts."""
        path = self._path(descriptor.digest)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return Incoming(path, descriptor, resume=resume)
        except OSError as error:
            raise _refused(path, error) from error

    @contextmanager
    def entries(self) -> Iterator[list[dict[str, Any]]]:
        """The entries of index.json under the lock; changes to the list are written when the block ends well."""
        path = self.folder / "index.json"
        try:
            with self._locked():
                raw = read_bounded(path, LARGEST_INDEX)
                if raw is None:
                    raise InvalidLayout(f"{self.folder} has no index.json.")
                document = parse_json_object(raw, f"The index.json of {self.folder}")
                listed = document.get("manifests")
                if not isinstance(listed, list | None) or not all(isinstance(e, dict) for e in listed or []):
                    raise InvalidLayout(f"The index.json of {self.folder} has no list of manifests.")
                entries: list[dict[str, Any]] = list(listed or [])
                before = list(entries)
                yield entries
                if entries != before:
                    _replace(path, json.dumps({**document, "manifests": entries}, separators=(",", ":")).encode())
        except OSError as error:
            raise _refused(path, error) from error
        except ValueError as error:
            raise InvalidLayout(f"The index.json of {self.folder} is too large to be changed.") from error

    def garbage(self, needed: Callable[[], set[str]], *, remove: bool, grace: float = GRACE) -> Garbage:
        """Blobs that are not `needed` (digests, asked for under the lock) and older than `grace` seconds."""
        found: list[str] = []
        size = 0
        with self.entries():
            keep = needed()
            oldest = time.time() - grace
            for path in self.folder.glob("blobs/*/*"):
                digest = f"{path.parent.name}:{path.name}"
                with suppress(OSError):
                    told = path.stat()
                    if digest in keep or told.st_mtime > oldest or not path.is_file():
                        continue
                    if remove:
                        path.unlink()
                    found.append(digest)
                    size += told.st_size
        return Garbage(tuple(sorted(found)), size)

    def _is_held(self, entries: list[dict[str, Any]], digest: Digest) -> bool:
        """Whether one of these entries is this manifest or leads to it."""
        content = FolderContent(self.folder)
        waiting = [str(e.get("digest")) for e in entries]
        seen: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name == digest:
                return True
            if name in seen:
                continue
            seen.add(name)
            waiting += _children_of(content, name)
        return False

    def _name(self, entry: dict[str, Any]) -> tuple[str, str | None]:
        repository, tag = name_of_entry(_annotations(entry)) or (None, None)
        return repository or self.own_repository, tag

    def _path(self, digest: Digest) -> Path:
        return self.folder / "blobs" / digest.algorithm / digest.encoded

    @contextmanager
    def _locked(self) -> Iterator[None]:
        handle = os.open(self.folder / "oci-layout", os.O_RDWR | os.O_CREAT | _BINARY, 0o644)
        try:
            if not wait_for_lock(handle, _PATIENCE):
                raise Conflict(
                    f"Another program has been changing {self.folder} for {_PATIENCE:.0f} seconds.",
                    hint="Wait until it has ended, then try again.",
                )
            if os.fstat(handle).st_size == 0:
                os.write(handle, _LAYOUT)
            yield
        finally:
            os.close(handle)


class Incoming:
    """A blob on its way: written beside its final name, which it gets once every byte is there and right.

    `offset` is how much an earlier, broken try left. Close it in any case; what came stays for the next try.
    """

    def __init__(self, path: Path, descriptor: Descriptor, *, resume: bool) -> None:
        self._verifier = Verifier(descriptor.digest, descriptor.size)
        self._path = path
        self._size = descriptor.size
        self._partial = path.with_name(f".{path.name}{_PARTIAL}")
        self._handle = _open_locked(self._partial)
        if self._handle < 0:  # another process fetches the same blob: each to its own file
            self._partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_PARTIAL}")
            self._handle = os.open(self._partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o644)
        self.offset = self._take_up() if resume else self._start_anew()

    def write(self, chunk: bytes) -> None:
        """Add bytes. Raises SizeMismatch, InvalidLayout when the disk is full."""
        self._verifier.update(chunk)
        try:
            view = memoryview(chunk)
            while view:
                view = view[os.write(self._handle, view) :]
        except OSError as error:
            raise _refused(self._path, error) from error

    def finish(self) -> None:
        """Check all of it, and give it its name. Raises DigestMismatch, SizeMismatch: then nothing of it is kept."""
        try:
            self._verifier.finish()
        except RegtuiError:
            self._partial.unlink(missing_ok=True)
            raise
        try:
            os.fsync(self._handle)
            if sys.platform == "win32":
                self.close()  # an open file can't be renamed there
            self._partial.replace(self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            raise _refused(self._path, error) from error

    def close(self) -> None:
        """Let go of the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _start_anew(self) -> int:
        os.ftruncate(self._handle, 0)
        return 0

    def _take_up(self) -> int:
        size = os.fstat(self._handle).st_size
        if size >= self._size:
            return self._start_anew()
        os.lseek(self._handle, 0, os.SEEK_SET)
        while chunk := os.read(self._handle, _CHUNK):
            self._verifier.update(chunk)
        return size


def _open_locked(path: Path) -> int:
    """The file, opened and locked; -1 when somebody else has it. Raises OSError."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | _BINARY, 0o644)
        if not try_lock(handle):
            os.close(handle)
            return -1
        with suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(handle).st_ino:
                return handle
        os.close(handle)  # its holder has just finished, and it is the blob itself by now


def _children_of(content: FolderContent, name: str) -> list[str]:
    """The manifests that the manifest of this digest leads to; none for what can't be read."""
    try:
        with content.open(Digest.parse(name)) as stream:
            manifest = parse_manifest(stream.read(LARGEST_MANIFEST))
    except RegtuiError:
        return []
    return [d.digest for d in manifest.manifests] if isinstance(manifest, Index) else []


def _annotations(entry: dict[str, Any]) -> dict[str, str]:
    found = entry.get("annotations")
    return {k: v for k, v in found.items() if isinstance(v, str)} if isinstance(found, dict) else {}


def _nameless(entry: dict[str, Any]) -> bool:
    return name_of_entry(_annotations(entry)) is None


def _replace(path: Path, content: bytes) -> None:
    """A file as a whole or as it was. Raises OSError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}{_PARTIAL}")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_folder(path.parent)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def _refused(path: Path, error: OSError) -> InvalidLayout:
    return InvalidLayout(f"{path} can't be written: {reason_of(error)}.", hint="Check its rights and the free space.")
