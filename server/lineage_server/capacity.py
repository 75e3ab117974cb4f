"""The calls that a server works on at once, by what they need, and the queues for their turn."""

import threading
from collections import deque
from types import TracebackType
from typing import Self

import grpc

from lineage_store import callers, errors

LOOK_SECONDS = 0.5
"""Seconds by which a call that waits for its turn may outlive its caller."""

ARRIVING = 256
"""Calls whose requests are being received at once: a request that does not come holds a thread."""

CHECKS, REFLECTIONS = 64, 16
"""Calls of the health service that are received at once, and streams of reflection."""

WAITING_FOR_ONE_STREAM = 4
"""Streams that wait for each that is answered."""

SPARE = 16
"""Threads beyond those that calls may hold: they refuse the surplus calls."""


def share_of_one_host(count: int) -> int:
    """Return the number of `count` calls that one host may have: never all, if there are two."""
    return max(1, count - max(1, count // 4))


class Call:
    """One call and who makes it.

    Args:
        context: Its context.

    Attributes:
        host: The address that it comes from, without the port: a caller that opens many
            connections is still one.
    """

    __slots__ = ("context", "host")

    def __init__(self, context: grpc.ServicerContext) -> None:
        self.context = context
        self.host: str = context.peer().rpartition(":")[0]

    def check(self) -> None:
        """Return if the caller still waits.

        Raises:
            Cancelled: It has gone, or its deadline has passed.
        """
        if not self.context.is_active():
            raise callers.cancelled()


class _Waiter:
    """A call in the queue, and whether it has got a slot."""

    __slots__ = ("host", "is_admitted", "turn")

    def __init__(self, host: str) -> None:
        self.host = host
        self.is_admitted = False
        self.turn = threading.Lock()  # released when it has a slot, or can't have one any more
        self.turn.acquire()


class CallSlots:
    """Slots for a number of calls; others wait in a queue, and leave it when their caller goes.

    It is made of plain locks, which are written in C: a semaphore of `threading` is written in
    Python, and many threads that want it hand each other the interpreter at each of its steps.

    Args:
        kind: The name of the calls, in the plural.
        count: The number of slots.
        most_waiting: The most calls that may wait.
        most_of_one: The most calls of one host at once; None: any number.
    """

    def __init__(
        self, kind: str, count: int, most_waiting: int, most_of_one: int | None = None
    ) -> None:
        self._kind = kind
        self._free = count
        self._most_waiting = most_waiting
        self._most_waiting_of_one = share_of_one_host(most_waiting)
        self._most_of_one = most_of_one or count
        self._held_by_host: dict[str, int] = {}
        self._queue: deque[_Waiter] = deque()
        self._mutex = threading.Lock()
        self._is_closed = False

    def of(self, call: Call) -> "_CallSlot":
        """Return a context manager: within it, the call has a slot.

        Entering it raises Unavailable if too many wait already or the server is about to stop, and
        Cancelled if the caller has gone: neither has begun.
        """
        return _CallSlot(self, call)

    def close(self) -> None:
        """Refuse all waiting calls, and those to come."""
        with self._mutex:
            self._is_closed = True
            waiters, self._queue = self._queue, deque()
        for waiter in waiters:
            waiter.turn.release()

    def take(self, call: Call) -> bool:
        """Return when the call has a slot: True if it waited for it; see `of`."""
        with self._mutex:
            if self._is_closed:
                raise about_to_stop()
            held_count = self._held_by_host.get(call.host, 0)
            if self._free and held_count < self._most_of_one:
                self._free -= 1
                self._held_by_host[call.host] = held_count + 1
                return False
            waiter = self._enqueue(call.host)
        self._wait(waiter, call)
        return True

    def _enqueue(self, host: str) -> _Waiter:
        of_host = sum(waiter.host == host for waiter in self._queue)
        is_alone = of_host == len(self._queue)
        is_over = of_host >= self._most_waiting_of_one and not is_alone
        if len(self._queue) >= self._most_waiting or is_over:
            raise self._full(of_host)
        waiter = _Waiter(host)
        self._queue.append(waiter)
        return waiter

    def _full(self, of_host: int) -> errors.LineageError:
        return errors.NotBegun(
            f"the server is busy: {of_host} {self._kind} of this host wait already, and "
            f"{len(self._queue) - of_host} of others; the call was not begun; try again"
        )

    def _wait(self, waiter: _Waiter, call: Call) -> None:
        while not waiter.turn.acquire(timeout=LOOK_SECONDS):
            if not call.context.is_active():
                self._leave(waiter)
                raise callers.cancelled()
        if not waiter.is_admitted:
            raise about_to_stop()

    def _leave(self, waiter: _Waiter) -> None:
        with self._mutex:
            if not waiter.is_admitted:
                if waiter in self._queue:
                    self._queue.remove(waiter)
                return
        self.give_back(waiter.host)

    def give_back(self, host: str) -> None:
        """Give the slot of a call to the next one that may have it."""
        with self._mutex:
            held_count = self._held_by_host[host]
            if held_count > 1:
                self._held_by_host[host] = held_count - 1
            else:
                del self._held_by_host[host]
            if not self._queue:
                self._free += 1
                return
            next_waiter = next((w for w in self._queue if self._may_have(w)), None)
            if next_waiter is None:
                self._free += 1
                return
            self._queue.remove(next_waiter)
            self._held_by_host[next_waiter.host] = self._held_by_host.get(next_waiter.host, 0) + 1
            next_waiter.is_admitted = True
        next_waiter.turn.release()

    def _may_have(self, waiter: _Waiter) -> bool:
        return self._held_by_host.get(waiter.host, 0) < self._most_of_one


class _CallSlot:
    """The context manager within which a call has a slot."""

    __slots__ = ("_call", "_slots")

    def __init__(self, slots: CallSlots, call: Call) -> None:
        self._slots = slots
        self._call = call

    def __enter__(self) -> Self:
        if self._slots.take(self._call):
            try:
                self._call.check()
            except BaseException:
                self._slots.give_back(self._call.host)
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._slots.give_back(self._call.host)


def about_to_stop() -> errors.NotBegun:
    """Return the error of a call that came too late to be begun."""
    return errors.NotBegun("the server is about to stop; the call was not begun; try again")


class StreamSlots(CallSlots):
    """Slots for calls that hold a thread for as long as they last: none waits for another.

    Args:
        kind: The name of the calls, in the plural.
        count: The number of slots.
    """

    def __init__(self, kind: str, count: int) -> None:
        super().__init__(kind, count, 0, share_of_one_host(count))
        self._count = count

    def _full(self, of_host: int) -> errors.LineageError:  # noqa: ARG002 - none waits
        return errors.ResourceExhausted(
            f"the server answers {self._count} {self._kind} at once, {self._most_of_one} of them "
            "for one host, and all are taken; try again"
        )


class RunningCalls:
    """Counts the calls that were begun and whose answers are not yet sent."""

    def __init__(self) -> None:
        self._count = 0
        self._mutex = threading.Lock()
        self._is_closed = False
        self._none_left = threading.Event()

    @property
    def count(self) -> int:
        """The number of running calls."""
        return self._count

    def begin(self, context: grpc.ServicerContext) -> None:
        """Count a call until its answer is sent or its caller has gone.

        Raises:
            Unavailable: The server is about to stop.
            Cancelled: The caller has gone already.
        """
        with self._mutex:
            if self._is_closed:
                raise about_to_stop()
            self._count += 1
        if not context.add_callback(self._end):
            self._end()
            raise callers.cancelled()

    def _end(self) -> None:
        with self._mutex:
            self._count -= 1
            if self._is_closed and not self._count:
                self._none_left.set()

    def close(self) -> None:
        """Refuse all calls to come."""
        with self._mutex:
            self._is_closed = True
            if not self._count:
                self._none_left.set()

    def wait(self, seconds: float) -> bool:
        """Wait until all have ended, no longer than `seconds`; return whether they have."""
        return self._none_left.wait(seconds)


class Capacity:
    """The slots of all calls of a server, by what the calls need.

    Reads, writes and streams each have slots of their own, so that neither writes that wait for
    the database nor slow readers keep the others from getting one.

    Args:
        threads: Reads at once of one host, of which there are a third more in all; as many
            writes, and half as many streams.
        waits: Waits at once, and as many watches: they only hold their thread.
        most_waiting: Reads, and as many writes, that wait for their turn.

    Attributes:
        threads: The threads that all of them need.
        arriving: Slots for calls whose requests are being received.
        reads: Slots for reads.
        writes: Slots for writes.
        streams: Slots for streams, by method; walks wait for each other, waits do not.
        checks: Slots for calls of the health service that are being received, also at the end.
        reflections: Slots for streams of reflection.
        running: Counts all that were begun, those of health and reflection aside.
    """

    def __init__(self, threads: int, waits: int, most_waiting: int) -> None:
        streams = max(1, threads // 2)
        reads = threads + max(1, threads // 3)  # so that one host has not all of them
        waiting_streams = WAITING_FOR_ONE_STREAM * streams
        self.threads = reads + threads + 2 * most_waiting + streams + waiting_streams + 2 * waits
        self.threads += ARRIVING + CHECKS + REFLECTIONS + SPARE
        self.arriving = CallSlots("calls", ARRIVING, 0, share_of_one_host(ARRIVING))
        self.reads = CallSlots("reads", reads, most_waiting, threads)
        self.writes = CallSlots("writes", threads, most_waiting)
        self.streams: dict[str, CallSlots] = {
            "Trace": CallSlots("streams", streams, waiting_streams, share_of_one_host(streams)),
            "Wait": StreamSlots("waits", waits),
            "Watch": StreamSlots("watches", waits),
        }
        self.checks = CallSlots("health checks", CHECKS, 0, share_of_one_host(CHECKS))
        self.reflections = StreamSlots("streams of reflection", REFLECTIONS)
        self.running = RunningCalls()

    def close(self) -> None:
        """Refuse all calls that have not begun, with Unavailable."""
        self.running.close()
        for slots in (self.arriving, self.reads, self.writes, *self.streams.values()):
            slots.close()
