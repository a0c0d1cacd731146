"""Calls at once in one event loop: how many, of which group, and how they are ended."""

import asyncio
from collections import Counter

import pytest

from repomill.executors.local import LocalExecutor


class Gauge:
    """Counts how many calls are at work, and holds them until it is opened."""

    def __init__(self):
        self.working: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.opened = asyncio.Event()
        self.changed = asyncio.Event()

    async def __call__(self, item):
        group = item.partition("/")[0]
        for name in ("all", group):
            self.working[name] += 1
            self.most[name] = max(self.most[name], self.working[name])
        self.changed.set()
        try:
            await self.opened.wait()
        finally:
            self.working.subtract(("all", group))
        return item

    async def until(self, count):
        while self.working["all"] < count:
            self.changed.clear()
            await self.changed.wait()


def group_of(item):
    return item.partition("/")[0]


async def collect(executor, gauge, items, results):
    async for result in executor.map(gauge, items, group=group_of):
        results.append(result)


def test_every_item_has_one_result():
    async def main():
        gauge, results = Gauge(), list[str]()
        gauge.opened.set()
        items = [f"host{n % 7}/{n}" for n in range(500)]
        await collect(LocalExecutor(4, per_group=2), gauge, items, results)
        return items, results, gauge

    items, results, gauge = asyncio.run(main())
    assert sorted(results) == sorted(items)
    assert gauge.most["all"] <= 4


def test_one_crowded_group_leaves_room_for_others():
    async def main():
        gauge, results = Gauge(), list[str]()
        items = [*(f"crowd/{n}" for n in range(20)), "other/1", "other/2"]
        executor = LocalExecutor(4, per_group=2)
        task = asyncio.create_task(collect(executor, gauge, items, results))
        await gauge.until(4)
        seen = dict(gauge.working)
        gauge.opened.set()
        await task
        return seen, gauge

    seen, gauge = asyncio.run(main())
    assert seen == {"all": 4, "crowd": 2, "other": 2}
    assert gauge.most["crowd"] == 2


def test_items_are_taken_as_room_comes_free():
    taken = []

    def items():
        for number in range(10_000):
            taken.append(number)
            yield f"host/{number}"

    async def main():
        gauge, results = Gauge(), list[str]()
        task = asyncio.create_task(collect(LocalExecutor(2, per_group=2), gauge, items(), results))
        await gauge.until(2)
        ahead = len(taken)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return ahead, gauge

    ahead, gauge = asyncio.run(main())
    assert ahead < 100
    assert gauge.working["all"] == 0, "nothing is at work afterwards"


def test_after_stop_what_is_at_work_ends_and_nothing_begins():
    async def main():
        gauge, results = Gauge(), list[str]()
        executor = LocalExecutor(2, per_group=2)
        items = (f"host/{n}" for n in range(100))
        task = asyncio.create_task(collect(executor, gauge, items, results))
        await gauge.until(2)
        executor.stop()
        gauge.opened.set()
        await task
        return results

    assert sorted(asyncio.run(main())) == ["host/0", "host/1"]


def test_abandon_cancels_what_is_at_work():
    async def main():
        gauge, results = Gauge(), list[str]()
        executor = LocalExecutor(2, per_group=2)
        task = asyncio.create_task(
            collect(executor, gauge, [f"host/{n}" for n in range(9)], results)
        )
        await gauge.until(2)
        executor.abandon()
        await task
        return results, gauge

    results, gauge = asyncio.run(main())
    assert results == []
    assert gauge.working["all"] == 0
