"""Plans: what will be sent, what else it touches, what it frees, as one frozen value that is shown and then run."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal

from regtui.oci import Digest, Reference
from regtui.oci.tags import subject_of

if TYPE_CHECKING:
    from regtui.oci import Manifest

Kind = Literal["delete", "retag", "move", "copy", "pull", "prune", "repair", "undo"]


class Action(StrEnum):
    """What a step does."""

    UNTAG = "untag"
    DELETE = "delete manifest"
    TAG = "tag"
    COPY = "copy"
    RESTORE = "restore manifest"


@dataclass(frozen=True, slots=True)
class Place:
    """A repository of a registry."""

    host: str
    repository: str

    def __str__(self) -> str:
        return f"{self.host}/{self.repository}"


@dataclass(frozen=True, slots=True)
class Step:
    """One change.

    `digest` is what is removed or put. `before` is what `tag` must point to when its turn comes (None: it must not
    exist); otherwise the step is skipped. `takes` are the tags that go with a deleted manifest. `needs` are the
    numbers of steps that must have been done before, from 0.
    """

    action: Action
    place: Place
    digest: Digest
    tag: str | None = None
    before: Digest | None = None
    takes: tuple[str, ...] = ()
    source: Place | None = None
    needs: tuple[int, ...] = ()
    why: str = ""

    @property
    def reference(self) -> Reference:
        """What the step names."""
        if self.tag is not None and self.action is not Action.DELETE:
            return Reference(self.place.host, self.place.repository, self.tag)
        return Reference(self.place.host, self.place.repository, None, self.digest)

    @property
    def requests(self) -> tuple[str, ...]:
        """The requests that change something, as `METHOD path`; blobs of a copy are one line."""
        base = f"/v2/{self.place.repository}"
        if self.action is Action.UNTAG:
            return (f"DELETE {base}/manifests/{self.tag}",)
        if self.action is Action.DELETE:
            return (f"DELETE {base}/manifests/{self.digest}",)
        put = f"PUT {base}/manifests/{self.tag or self.digest}"
        return (f"POST {base}/blobs/uploads/", put) if self.action is Action.COPY else (put,)


@dataclass(frozen=True, slots=True)
class Affected:
    """Something that was not selected and is touched all the same, or stays because of the plan's care."""

    what: str
    reference: Reference
    digest: Digest | None
    goes: bool
    """Whether it goes, too; False: it stays, and `what` says why."""


@dataclass(frozen=True, slots=True)
class Protected:
    """A selected tag that the plan leaves alone (or changes only because it was forced), and the pattern's name."""

    tag: str
    why: str
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan. The dry run shows this value, and the run takes this value.

    `saves` are the manifests that the journal keeps before the first request, children first. `frees_bytes` is what
    the steps themselves make garbage (None: not known), `freeable_bytes` what is no longer tagged afterwards and
    goes when the registry removes untagged manifests. `made` are manifests that exist nowhere yet.
    """

    kind: Kind
    steps: tuple[Step, ...]
    saves: tuple[tuple[Place, Digest], ...] = ()
    tags_before: tuple[tuple[Place, str, Digest], ...] = ()
    affected: tuple[Affected, ...] = ()
    protected: tuple[Protected, ...] = ()
    frees_bytes: int | None = None
    freeable_bytes: int | None = None
    reversible: bool = True
    reversible_until: str = "until the registry collects its garbage"
    warnings: tuple[str, ...] = ()
    afterwards: tuple[str, ...] = ()
    """What must still run on the server, with the command."""
    tags_in_all: int | None = None
    """Tags of the repository, to tell how large a part is changed."""
    made: tuple[Manifest, ...] = field(default=(), compare=False)
    undoes: str | None = None
    """The journal entry that this plan undoes."""

    @property
    def places(self) -> tuple[Place, ...]:
        """The repositories that are changed."""
        return tuple(dict.fromkeys(step.place for step in self.steps))

    @property
    def tags_changed(self) -> tuple[tuple[Place, str], ...]:
        """Every tag that goes or moves."""
        found: dict[tuple[Place, str], None] = {}
        for step in self.steps:
            for tag in (*((step.tag,) if step.tag is not None else ()), *step.takes):
                found[step.place, tag] = None
        return tuple(found)

    @property
    def tags_lost(self) -> tuple[tuple[Place, str], ...]:
        """Every tag that is removed or pointed elsewhere."""
        gone = {(step.place, tag) for step in self.steps for tag in step.takes}
        gone |= {(step.place, step.tag) for step in self.steps if step.tag is not None and step.before is not None}
        return tuple(pair for pair in self.tags_changed if pair in gone)

    @property
    def own_tags_lost(self) -> int:
        """How many of them are not those of signatures and the like, which `tags_in_all` does not count."""
        return sum(subject_of(tag) is None for _, tag in self.tags_lost)


COLLECT: Final = (
    "Bytes are freed by the registry's own garbage collection; for distribution, who runs it calls "
    "`registry garbage-collect /etc/docker/registry/config.yml` (registry stopped or read-only)."
)
COLLECT_UNTAGGED: Final = (
    "What is untagged now is removed by a garbage collection with `--delete-untagged`; distribution 2.8 removes "
    "with it children of tagged indexes, so keep that to distribution 3 or to your registry's own retention."
)
