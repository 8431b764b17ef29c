"""Paging: every kind of Link that registries send, and every way in which a listing must end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.registries.pages import Link, Pager, next_query, next_target, parse_links


@pytest.mark.parametrize(
    ("header", "query"),
    [
        ('</v2/_catalog?last=p%2Fapp&n=2>; rel="next"', {"last": "p/app", "n": "2"}),
        ("</v2/_catalog?last=b&n=2>; rel=next", {"last": "b", "n": "2"}),
        ("</v2/_catalog?last=b>;rel=next", {"last": "b"}),
        (
            '<https://other.example/prefix/v2/x/tags/list?next_page=Zm9v%3D&n=5>; rel="next"',
            {"next_page": "Zm9v=", "n": "5"},
        ),
        (
            '<http://inner:8081/repository/d/v2/x/tags/list?last=z&n=5>; title="a, b; c"; rel="next"',
            {"last": "z", "n": "5"},
        ),
        ('</v2/x/tags/list?last=a>; rel="prev", </v2/x/tags/list?last=c>; rel="next"', {"last": "c"}),
        ('</v2/x/tags/list?last=a>; rel="last next"', {"last": "a"}),
        ('</v2/x/tags/list?last=a>; REL="Next"', {"last": "a"}),
        ("</v2/x/tags/list?last=a>", {"last": "a"}),
        ('</v2/x/tags/list>; rel="next"', {"last": "seen"}),
        ('<>; rel="next"', {"last": "seen"}),
        ('</v2/x?last=>; rel="next"', {"last": "seen"}),
        ('</v2/x/tags/list?last=a>; rel="prev"', None),
        ("nonsense", None),
        ("<unclosed", None),
        ("", None),
        (None, None),
    ],
)
def test_the_next_question(header, query):
    assert next_query(header, "seen") == query


def test_without_a_query_and_without_an_item_there_is_no_next():
    assert next_query('</v2/x/tags/list>; rel="next"', None) is None


def test_too_many_parameters_are_not_followed():
    target = "/v2/x?" + "&".join(f"a{n}=1" for n in range(1000))
    assert next_query(f'<{target}>; rel="next"', "seen") == {"last": "seen"}


def test_several_links_are_told_apart():
    assert parse_links('</a?x=1>; rel="first", </b?x=2>; rel=next; title="</c>; rel=next"') == (
        Link("/a?x=1", frozenset({"first"})),
        Link("/b?x=2", frozenset({"next"})),
    )


@given(st.text())
def test_any_header_is_read_without_an_error(text):
    next_target(text)
    next_query(text, "x")


@given(st.lists(st.text('abc<>;,="\\ rel/?&next', max_size=30), max_size=5))
def test_near_headers_are_read_without_an_error(parts):
    next_query(",".join(parts), "x")


def walk(pages, **limits):
    """What a Pager makes of a server that answers page n with pages[n]; (items, questions, why it stopped)."""
    pager = Pager({"n": "2"}, **limits)
    items, questions = [], []
    while pager.query is not None:
        questions.append(pager.query)
        page, link = pages(len(questions) - 1, pager.query)
        items += pager.take(page, link)
    return items, questions, pager.stopped


def listed(*pages):
    return lambda number, _query: pages[number]


def test_pages_are_followed_to_the_end():
    items, questions, stopped = walk(listed((["a", "b"], "<?last=b&n=2>; rel=next"), (["c"], None)))
    assert (items, stopped) == (["a", "b", "c"], None)
    assert questions == [{"n": "2"}, {"last": "b", "n": "2"}]


def test_a_link_to_an_empty_last_page_ends_the_list():
    items, _, stopped = walk(listed((["a", "b"], "<?last=b>; rel=next"), ([], "<?last=b>; rel=next")))
    assert (items, stopped) == (["a", "b"], None)


def test_fewer_than_asked_with_a_link_goes_on():
    items, _, _ = walk(listed((["a"], "<?last=a>; rel=next"), (["b"], None)))
    assert items == ["a", "b"]


def test_a_server_that_ignores_last_does_not_go_on_for_ever():
    items, questions, stopped = walk(lambda n, q: (["a", "b"], f"<?last=b&x={n}>; rel=next"))
    assert items == ["a", "b"]
    assert len(questions) == 2
    assert "same page" in stopped


def test_a_circle_of_pages_ends():
    def circle(number, _query):
        return ([f"t{number}"], f"<?last={'ab'[number % 2]}>; rel=next")

    items, questions, stopped = walk(circle)
    assert "circle" in stopped
    assert len(questions) <= 4
    assert items == ["t0", "t1", "t2"]


def test_endless_pages_are_cut_off_by_count_and_by_size():
    def endless(number, _query):
        return ([f"t{number}", f"u{number}"], f"<?last={number}>; rel=next")

    items, questions, stopped = walk(endless, most_pages=50)
    assert len(questions) == 50
    assert len(items) == 100
    assert "100" in stopped
    items, _, stopped = walk(endless, most_items=30)
    assert len(items) == 30
    assert "30" in stopped
