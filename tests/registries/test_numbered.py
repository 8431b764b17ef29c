"""Numbered pages: in order, several at once where the total is known, none for a reader that left."""

from __future__ import annotations

import asyncio

import pytest

from regtui.registries.contract import closing
from regtui.registries.numbered import Part, numbered


class Pages:
    """A list of `count` rows, `size` a page; notes which pages were asked for and how many at once."""

    def __init__(self, count, *, size=10, total=True):
        self.count, self.size, self.total = count, size, total
        self.asked, self.running, self.most = [], 0, 0

    async def ask(self, number):
        self.asked.append(number)
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        rows = [{"n": n} for n in range(self.count)][(number - 1) * self.size : number * self.size]
        return Part(rows, self.count if self.total else None, more=number * self.size < self.count)


async def rows_of(pages, **options):
    return [row["n"] async for part in numbered(pages.ask, size=pages.size, **options) for row in part.rows]


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize("count", [0, 1, 10, 11, 95])
async def test_every_row_in_order_and_no_page_too_many(count, total):
    pages = Pages(count, total=total)
    assert await rows_of(pages) == list(range(count))
    assert sorted(pages.asked) == list(range(1, max(1, -(-count // 10)) + 1))
    assert pages.most <= 4 if total else pages.most == 1


async def test_several_are_under_way_where_the_total_is_known():
    pages = Pages(95)
    await rows_of(pages, at_once=3)
    assert pages.most == 3


async def test_a_reader_that_leaves_asks_for_no_more():
    pages = Pages(95, total=False)
    async with closing(numbered(pages.ask, size=10)) as parts:
        async for _ in parts:
            break
    assert pages.asked == [1]
    known = Pages(1_000)
    async with closing(numbered(known.ask, size=10)) as parts:
        async for _ in parts:
            break
    assert len(known.asked) <= 5


async def test_a_list_without_an_end_is_cut_off():
    async def ask(number):
        return Part([{"n": number}], more=True)

    parts = [part async for part in numbered(ask, size=1, most=5)]
    assert (len(parts), parts[-1].stopped) == (5, "The list was cut off after 5 pages.")


async def test_a_total_that_is_wrong_and_a_page_that_fails():
    async def lying(number):
        return Part([{"n": 1}] if number < 3 else [], total=10_000)

    assert len([part async for part in numbered(lying, size=1)]) == 3

    async def failing(number):
        if number == 3:
            raise ValueError("page 3")
        return Part([{"n": number}], total=5)

    pages = numbered(failing, size=1)
    assert [(await anext(pages)).rows[0]["n"] for _ in range(2)] == [1, 2]
    with pytest.raises(ValueError, match="page 3"):
        await anext(pages)


async def test_a_page_may_say_that_it_ends_here():
    async def ask(number):
        return Part([{"n": number}], more=True, stopped="sign in for more" if number == 2 else None)

    parts = [part async for part in numbered(ask, size=1)]
    assert [part.stopped for part in parts] == [None, "sign in for more"]
