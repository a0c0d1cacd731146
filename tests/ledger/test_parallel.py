"""Calls in threads, as many at once as are wanted."""

import itertools
import subprocess
import sys
import threading

import pytest

from repomill.ledger.parallel import each


def test_it_yields_every_answer():
    assert sorted(each(abs, range(-100, 0), threads=7)) == list(range(1, 101))


def test_nothing_is_no_call():
    assert list(each(abs, [], threads=7)) == []


def test_calls_run_at_once_in_the_number_that_is_wanted():
    together = threading.Barrier(5, timeout=100)

    assert sorted(each(lambda _: together.wait(), range(5), threads=5)) == [0, 1, 2, 3, 4]


def test_items_are_taken_as_room_comes_free_by_the_caller_itself():
    taken: list[int] = []
    callers = set()

    def items():
        for number in itertools.count():
            callers.add(threading.current_thread())
            taken.append(number)
            yield number

    answers = each(abs, items(), threads=3)
    for _ in range(10):
        next(answers)

    assert len(taken) <= 13
    assert callers == {threading.current_thread()}


def test_an_exception_comes_at_once_though_other_calls_hang():
    hang = threading.Event()

    def call(number):
        if number == 2:
            raise KeyError(number)
        hang.wait(60)

    with pytest.raises(KeyError, match="2"):
        list(each(call, range(1, 100), threads=3))
    hang.set()


def test_threads_end_with_the_answers():
    before = threading.active_count()
    for _ in range(20):
        next(each(abs, range(10), threads=5))

    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.daemon:
            thread.join(30)
    assert threading.active_count() <= before


def test_a_call_that_hangs_keeps_no_process_from_its_end():
    program = """if True:
        import threading
        from repomill.ledger.parallel import each
        started, never = threading.Event(), threading.Event()
        def call(number):
            if number:
                started.set()
                never.wait()
            started.wait()
        next(each(call, [0, 1], threads=2))
    """

    subprocess.run([sys.executable, "-c", program], check=True, timeout=100)
