"""Blocking calls beside an event loop."""

import asyncio
import subprocess
import sys
import threading

import pytest

from repomill.threads import in_thread, within


def test_it_returns_what_the_call_returns():
    assert asyncio.run(in_thread(lambda: 42)) == 42


def test_it_raises_what_the_call_raises():
    def fail() -> None:
        raise KeyError("name")

    with pytest.raises(KeyError, match="name"):
        asyncio.run(in_thread(fail))


def test_calls_run_at_once():
    async def main() -> list[int]:
        together = threading.Barrier(3, timeout=100)
        return await asyncio.gather(*(in_thread(together.wait) for _ in range(3)))

    assert sorted(asyncio.run(main())) == [0, 1, 2]


def test_a_call_that_hangs_keeps_nobody_from_leaving():
    program = """if True:
        import asyncio, threading
        from repomill.threads import in_thread, within
        started, never = threading.Event(), threading.Event()
        def hang():
            started.set()
            never.wait()
        async def main():
            task = asyncio.ensure_future(in_thread(hang))
            await in_thread(started.wait)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            print("left")
        asyncio.run(main())
    """
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, timeout=100, check=True
    )
    assert done.stdout == b"left\n"


def test_an_answer_that_comes_after_the_end_is_dropped():
    leave = threading.Event()
    ended = threading.Event()

    def late() -> None:
        leave.wait(30)
        ended.set()

    async def main() -> None:
        task = asyncio.ensure_future(in_thread(late))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(main())
    leave.set()
    assert ended.wait(30)


def test_what_takes_too_long_is_told_of_once_and_left_behind():
    told = []
    never = threading.Event()

    with pytest.raises(TimeoutError):
        within(0.02, never.wait, slow_seconds=0.01, on_slow=lambda: told.append("slow"))

    assert told == ["slow"]


@pytest.mark.parametrize("slow_seconds", [0.01, 60])
def test_what_is_done_in_time_is_returned(slow_seconds):
    assert within(60, lambda: 42, slow_seconds=slow_seconds, on_slow=print) == 42


def test_what_is_slow_but_done_in_time_is_returned():
    slow = threading.Event()

    assert within(60, lambda: slow.wait(30), slow_seconds=0.01, on_slow=slow.set)


def test_what_fails_in_time_raises():
    def fail() -> None:
        raise KeyError("name")

    with pytest.raises(KeyError, match="name"):
        within(60, fail, slow_seconds=1, on_slow=print)


def test_no_time_at_all_is_too_short():
    with pytest.raises(TimeoutError):
        within(0.01, threading.Event().wait, slow_seconds=1, on_slow=print)
