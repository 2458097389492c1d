"""A port of loopback that stays an example's own, from before its server listens until the example has ended. I/O."""

from __future__ import annotations

import socket
import sys


class KeptPort:
    """A free port, for a server of another process, which may be killed and started again at it.

    A port that is looked for, let go and used a moment later may be given to somebody else in between. This one is bound by a
    socket that never listens: the kernel gives it to nobody who asks for a free one, and lets a server listen on it that may
    reuse addresses, as all of ours do. Other systems than Linux let none: there it is only looked for.
    """

    def __init__(self) -> None:
        self._held = socket.socket()
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._held.bind(("127.0.0.1", 0))
        self.number: int = self._held.getsockname()[1]
        if sys.platform != "linux":
            self._held.close()

    def close(self) -> None:
        """Let it go."""
        self._held.close()

    def __enter__(self) -> KeptPort:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
