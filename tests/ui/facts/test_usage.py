"""What marked tags would free, in words that never promise more than is known."""

from __future__ import annotations

from datetime import UTC, datetime

from regtui.contents.usage import StoredTag, repository_usage
from regtui.oci import Digest
from regtui.session.usage import RepositoryRead
from regtui.ui.facts.usage import freed_words, repository_facts

SHARED, ONLY_OLD, ONLY_NEW = (Digest.of(name) for name in (b"shared", b"old", b"new"))


def stored(tag: str, *blobs: Digest, pushed: datetime | None = None) -> StoredTag:
    sizes = {SHARED: 1_000_000, ONLY_OLD: 20_000, ONLY_NEW: 3_000}
    manifest = Digest.of(tag.encode())
    return StoredTag(tag, manifest, {manifest: 0, **{blob: sizes[blob] for blob in blobs}}, frozenset(blobs), pushed)


OLD, NEW = stored("old", SHARED, ONLY_OLD), stored("new", SHARED, ONLY_NEW)


def test_only_what_no_other_tag_shares_counts() -> None:
    known = {"old": OLD, "new": NEW}
    assert freed_words(known, ["old"], ["old", "new"]) == "would free 20.0 kB in this repository"
    assert freed_words(known, ["old", "new"], ["old", "new"]) == "would free 1.0 MB in this repository"


def test_tags_that_are_not_read_make_it_a_bound() -> None:
    assert freed_words({"old": OLD}, ["old"], ["old", "new"]) == "would free at most 1.0 MB: 1 tags are not read"
    assert freed_words({"old": OLD}, ["old", "new"], ["old", "new"]).startswith("would free at least 1.0 MB")
    assert "not known" in freed_words({"old": OLD}, ["new"], ["old", "new", "third"])


def test_facts_of_a_repository_leave_signatures_out_of_the_chart() -> None:
    tags = [
        stored("b", SHARED, ONLY_NEW, pushed=datetime(2026, 2, 1, tzinfo=UTC)),
        stored("a", SHARED, ONLY_OLD, pushed=datetime(2026, 1, 1, tzinfo=UTC)),
        stored(f"sha256-{'0' * 64}.sig"),
    ]
    facts = repository_facts(RepositoryRead("shop/cart", repository_usage(tags), ()))
    assert facts.series.values == (1_020_000, 1_003_000)
    assert (facts.series.first, facts.series.last) == ("a", "b")
    assert [(row.tag, row.new, row.frees) for row in facts.tags][1:] == [("a", 1_020_000, 20_000), ("b", 3_000, 3_000)]
    assert facts.layers[0].digest == SHARED
    assert "not known" not in facts.title
