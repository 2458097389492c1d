"""What happens when one of the room's own answers breaks: it is logged with its traceback, counted, and told. I/O.

It stands inside whatever else would swallow the defect: Dash answers its own with a bare 500 and writes nothing down.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import ClientDisconnect
from starlette.websockets import WebSocketDisconnect

from opsroom.entry.guard import Asgi, Message, Receive, Scope, Send, turn_away
from opsroom.entry.tally import Tally


class Faults:
    """Lets pass what means something to those outside (`meant`), and answers 500 for the rest."""

    def __init__(self, app: Asgi, tally: Tally, log: Any, meant: tuple[type[BaseException], ...] = ()) -> None:
        self.app, self.tally, self.log, self.meant = app, tally, log, meant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except self.meant:
            raise
        except (ClientDisconnect, WebSocketDisconnect):
            return  # whoever asked has gone
        except Exception:
            if scope["type"] not in ("http", "websocket"):
                raise
            self.tally.faults += 1
            self.log.exception(
                "an answer broke", path=scope["path"][:200], method=scope.get("method", scope["type"]), begun=begun
            )
            if begun:
                raise  # the server ends the connection: who asked sees that the answer is not whole
            reason, cure = "the room made a mistake of its own", "tell whoever runs the room; its log says more"
            await turn_away(scope, _nothing, send, 500, "fault", reason, cure)


async def _nothing() -> Message:
    return {"type": "websocket.connect"}
