"""A rest that the end of a child, or a signal, ends at once."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def waking() -> Iterator[Callable[[float], None]]:
    """What rests for so many seconds at the most."""
    read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    woken = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    asleep = signal.signal(signal.SIGCHLD, lambda *_: None)

    def rest(seconds: float) -> None:
        if select.select([read], [], [], seconds)[0]:
            os.read(read, 4096)

    try:
        yield rest
    finally:
        signal.signal(signal.SIGCHLD, asleep)
        signal.set_wakeup_fd(woken)
        os.close(read)
        os.close(write)
