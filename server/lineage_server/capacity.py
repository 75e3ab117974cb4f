"""How many calls are worked on at once, by what they need, and which wait for their turn."""

import threading
from collections import deque
from types import TracebackType
from typing import Self

import grpc

from lineage_store import callers, errors

LOOK_SECONDS = 0.5
"""How long a call that waits for its turn may outlive its caller."""

ARRIVING = 256
"""Calls whose requests are being received at once: a request that does not come holds a thread."""

CHECKS, REFLECTIONS = 64, 16
"""Calls of the health service that are received at once, and streams of reflection."""

WAITING_FOR_ONE_STREAM = 4
"""Streams that wait for each that is answered."""

SPARE = 16
"""Threads beyond those that calls may hold: they refuse what is too much."""


def share_of_one_host(count: int) -> int:
    """Return how many of `count` calls one host may have: never all, if there are two."""
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
            raise callers.gone()


class _Waiter:
    """A call in the queue, and whether it has got a place."""

    __slots__ = ("host", "is_admitted", "turn")

    def __init__(self, host: str) -> None:
        self.host = host
        self.is_admitted = False
        self.turn = threading.Lock()  # let go when it has a place, or can't have one any more
        self.turn.acquire()


class Places:
    """Room for a number of calls; others wait in a queue, and leave it when their caller goes.

    It is made of plain locks, which are written in C: a semaphore of `threading` is written in
    Python, and many threads that want it hand each other the interpreter at each of its steps.

    Args:
        kind: What the calls are, in the plural.
        count: How many there may be at once.
        most_waiting: How many may wait.
        most_of_one: How many one host may have at once; None: any number.
    """

    def __init__(
        self, kind: str, count: int, most_waiting: int, most_of_one: int | None = None
    ) -> None:
        self._kind = kind
        self._free = count
        self._most_waiting = most_waiting
        self._most_waiting_of_one = share_of_one_host(most_waiting)
        self._most_of_one = most_of_one or count
        self._held: dict[str, int] = {}
        self._waiting: deque[_Waiter] = deque()
        self._mutex = threading.Lock()
        self._is_closed = False

    def of(self, call: Call) -> "_Place":
        """Return a block to be entered: in it, the call has a place.

        Entering it raises Unavailable if too many wait already or the server is about to stop, and
        Cancelled if the caller has gone: neither has begun.
        """
        return _Place(self, call)

    def close(self) -> None:
        """Refuse all who wait, and those to come."""
        with self._mutex:
            self._is_closed = True
            waiting, self._waiting = self._waiting, deque()
        for waiter in waiting:
            waiter.turn.release()

    def take(self, call: Call) -> None:
        """Return when the call has a place; see `of`."""
        with self._mutex:
            if self._is_closed:
                raise about_to_stop()
            held = self._held.get(call.host, 0)
            if self._free and held < self._most_of_one:
                self._free -= 1
                self._held[call.host] = held + 1
                return
            waiter = self._queued(call.host)
        self._wait(waiter, call)

    def _queued(self, host: str) -> _Waiter:
        of_host = sum(waiter.host == host for waiter in self._waiting)
        is_alone = of_host == len(self._waiting)
        is_over = of_host >= self._most_waiting_of_one and not is_alone
        if len(self._waiting) >= self._most_waiting or is_over:
            raise self._full(of_host)
        waiter = _Waiter(host)
        self._waiting.append(waiter)
        return waiter

    def _full(self, of_host: int) -> errors.LineageError:
        return errors.NotBegun(
            f"the server is busy: {of_host} {self._kind} of this host wait already, and "
            f"{len(self._waiting) - of_host} of others; the call was not begun; try again"
        )

    def _wait(self, waiter: _Waiter, call: Call) -> None:
        while not waiter.turn.acquire(timeout=LOOK_SECONDS):
            if not call.context.is_active():
                self._leave(waiter)
                raise callers.gone()
        if not waiter.is_admitted:
            raise about_to_stop()

    def _leave(self, waiter: _Waiter) -> None:
        with self._mutex:
            if not waiter.is_admitted:
                if waiter in self._waiting:
                    self._waiting.remove(waiter)
                return
        self.give_back(waiter.host)

    def give_back(self, host: str) -> None:
        """Give the place of a call to the next who may have it."""
        with self._mutex:
            held = self._held[host]
            if held > 1:
                self._held[host] = held - 1
            else:
                del self._held[host]
            if not self._waiting:
                self._free += 1
                return
            following = next((w for w in self._waiting if self._may_have(w)), None)
            if following is None:
                self._free += 1
                return
            self._waiting.remove(following)
            self._held[following.host] = self._held.get(following.host, 0) + 1
            following.is_admitted = True
        following.turn.release()

    def _may_have(self, waiter: _Waiter) -> bool:
        return self._held.get(waiter.host, 0) < self._most_of_one


class _Place:
    """The block in which a call has a place."""

    __slots__ = ("_call", "_places")

    def __init__(self, places: Places, call: Call) -> None:
        self._places = places
        self._call = call

    def __enter__(self) -> Self:
        self._places.take(self._call)
        try:
            self._call.check()
        except BaseException:
            self._places.give_back(self._call.host)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._places.give_back(self._call.host)


def about_to_stop() -> errors.NotBegun:
    """Return the error of a call that came too late to be begun."""
    return errors.NotBegun("the server is about to stop; the call was not begun; try again")


class Streams(Places):
    """Room for calls that hold a thread for as long as they last: none waits for another.

    Args:
        kind: What they are called, in the plural.
        count: How many there may be.
    """

    def __init__(self, kind: str, count: int) -> None:
        super().__init__(kind, count, 0, share_of_one_host(count))
        self._count = count

    def _full(self, of_host: int) -> errors.LineageError:  # noqa: ARG002 - none waits
        return errors.ResourceExhausted(
            f"the server answers {self._count} {self._kind} at once, {self._most_of_one} of them "
            "for one host, and all are taken; try again"
        )


class Running:
    """Counts the calls that were begun and whose answers are not yet sent."""

    def __init__(self) -> None:
        self._count = 0
        self._mutex = threading.Lock()
        self._is_closed = False
        self._none_left = threading.Event()

    @property
    def count(self) -> int:
        """How many there are."""
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
            raise callers.gone()

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
    """How many calls are worked on at once, by what they need.

    Reads, writes and streams each have room of their own, so that writes that wait for the
    database, or readers that take their time, don't keep the others from having any.

    Args:
        threads: Reads at once of one host, of which there are a third more in all; as many
            writes, and half as many streams.
        waits: Waits at once: they only hold their thread.
        most_waiting: Reads, and as many writes, that wait for their turn.

    Attributes:
        threads: The threads that all of them need.
        arriving: Room for calls whose requests are being received.
        reads: Room for what reads.
        writes: Room for what writes.
        streams: Room for the others, by method; walks wait for each other, waits do not.
        checks: Room for calls of the health service that are being received, also at the end.
        reflections: Room for streams of reflection.
        running: Counts all that were begun, those of health and reflection aside.
    """

    def __init__(self, threads: int, waits: int, most_waiting: int) -> None:
        streams = max(1, threads // 2)
        reads = threads + max(1, threads // 3)  # so that one host has not all of them
        waiting_streams = WAITING_FOR_ONE_STREAM * streams
        self.threads = reads + threads + 2 * most_waiting + streams + waiting_streams + waits
        self.threads += ARRIVING + CHECKS + REFLECTIONS + SPARE
        self.arriving = Places("calls", ARRIVING, 0, share_of_one_host(ARRIVING))
        self.reads = Places("reads", reads, most_waiting, threads)
        self.writes = Places("writes", threads, most_waiting)
        self.streams: dict[str, Places] = {
            "Trace": Places("streams", streams, waiting_streams, share_of_one_host(streams)),
            "Wait": Streams("waits", waits),
        }
        self.checks = Places("health checks", CHECKS, 0, share_of_one_host(CHECKS))
        self.reflections = Streams("streams of reflection", REFLECTIONS)
        self.running = Running()

    def close(self) -> None:
        """Refuse all calls that have not begun, with Unavailable."""
        self.running.close()
        for places in (self.arriving, self.reads, self.writes, *self.streams.values()):
            places.close()
