"""What the websocket `/watch` tells, as an AsyncAPI 3.0 document, made from the very structs that are written and read. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from opsroom.views import Delta, Snapshot, WatchRequest

MESSAGES: dict[str, tuple[type[msgspec.Struct], str]] = {
    "snapshot": (Snapshot, "Everything that the screen shows: the first message, and whenever it needs a new one."),
    "delta": (
        Delta,
        "What has changed since the message before; `n` goes up by one. Rows replace rows of the same id.",
    ),
    "request": (WatchRequest, "The screen looks at another unit, turns a page of the line, or asks for a snapshot."),
}


def describe_watch(title: str) -> dict[str, Any]:
    """Describe the push of a room to its screens."""
    kinds = [kind for kind, _ in MESSAGES.values()]
    schemas, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    channel = "#/channels/watch"
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": title,
            "version": "1",
            "description": "What a room tells its screens. docs/api.md tells it for people, docs/telex.md the plants' wire.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "watch": {
                "address": "/watch",
                "title": "One screen",
                "description": (
                    "Text frames of JSON. The Origin must be the room's own. Close code 4401: nobody is logged in, or the "
                    "session is over; 1013: there are too many screens."
                ),
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in MESSAGES},
                "bindings": {
                    "ws": {
                        "method": "GET",
                        "query": {
                            "type": "object",
                            "properties": {"focus": {"type": "string", "description": "the unit in focus"}},
                        },
                    }
                },
            }
        },
        "operations": {
            "tell": {
                "action": "send",
                "channel": {"$ref": channel},
                "summary": "The room tells a screen: a snapshot, then deltas, at least one message a second.",
                "messages": [{"$ref": f"{channel}/messages/{name}"} for name in ("snapshot", "delta")],
            },
            "hear": {
                "action": "receive",
                "channel": {"$ref": channel},
                "summary": "The room hears what a screen wants to look at.",
                "messages": [{"$ref": f"{channel}/messages/request"}],
            },
        },
        "components": {
            "securitySchemes": {
                "session": {
                    "type": "httpApiKey",
                    "in": "cookie",
                    "name": "opsroom_session",
                    "description": "The session of POST /api/login; a room with an open wall asks for none.",
                }
            },
            "messages": {
                name: {"name": kind.__name__, "summary": summary, "payload": schema}
                for (name, (kind, summary)), schema in zip(MESSAGES.items(), schemas, strict=True)
            },
            "schemas": components,
        },
    }
