"""Write `docs/telex.schema.json` and `docs/telex.asyncapi.json` anew from the code: `.venv/bin/python docs/draw_wire.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from telex_ingest.line import Limits
from telex_ingest.telex import PROTOCOL, FromPlant, FromRoom
from telex_ingest.wire import Subprotocol

BEARER = "The link's token; it may stand in the hello instead, never in the address."


def parts(template: str) -> dict[str, Any]:
    """Every part of a frame as JSON Schema, by name."""
    _, found = msgspec.json.schema_components((FromPlant, FromRoom), ref_template=template)
    tidied: dict[str, Any] = json.loads(json.dumps(found), object_hook=_on_one_line)
    tidied["FromPlant"]["minProperties"] = 1  # an empty frame is refused
    return tidied


def _on_one_line(part: dict[str, Any]) -> dict[str, Any]:
    if isinstance(part.get("description"), str):
        part["description"] = " ".join(part["description"].split())
    return part


def schema() -> dict[str, Any]:
    """A JSON Schema of every frame, in either direction."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A frame of {PROTOCOL}",
        "description": "What a link sends is a FromPlant, what the room answers a FromRoom. docs/telex.md explains them.",
        "anyOf": [{"$ref": "#/$defs/FromPlant"}, {"$ref": "#/$defs/FromRoom"}],
        "$defs": parts("#/$defs/{name}"),
    }


def asyncapi() -> dict[str, Any]:
    """The room's end of the wire as an AsyncAPI document."""
    channel = "#/channels/telex"
    messages = {
        "fromPlant": (
            "A frame of a link",
            "FromPlant",
            "hello, births, telexes, receipts, calls, statements, deaths: all optional",
        ),
        "fromRoom": (
            "A frame of the room",
            "FromRoom",
            "welcome, acks, refusals, orders, notices, invitations: all optional",
        ),
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Telex",
            "version": PROTOCOL,
            "description": "The wire between a plant and its room, as the room speaks it. docs/telex.md explains it.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "room": {
                "host": "{host}",
                "pathname": "/telex",
                "protocol": "ws",
                "description": "A room; wss when it speaks TLS.",
                "variables": {"host": {"default": "127.0.0.1:8000", "description": "host and port of the room"}},
                "security": [{"$ref": "#/components/securitySchemes/link"}],
            }
        },
        "channels": {
            "telex": {
                "address": "/",
                "title": "One link",
                "description": (
                    "A websocket. Text frames are JSON; binary frames are the same objects as MessagePack, under the "
                    f"subprotocol {Subprotocol.MSGPACK.value}. A frame has at most {Limits().frame_bytes} bytes."
                ),
                "servers": [{"$ref": "#/servers/room"}],
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {
                    "ws": {
                        "method": "GET",
                        "headers": {
                            "type": "object",
                            "properties": {
                                "Sec-WebSocket-Protocol": {
                                    "type": "string",
                                    "enum": [PROTOCOL, *(one.value for one in Subprotocol)],
                                },
                            },
                        },
                    }
                },
            }
        },
        "operations": {
            "hear": {
                "action": "receive",
                "channel": {"$ref": channel},
                "summary": "The room hears a link; the first frame holds its hello.",
                "messages": [{"$ref": f"{channel}/messages/fromPlant"}],
            },
            "tell": {
                "action": "send",
                "channel": {"$ref": channel},
                "summary": "The room answers: an Ack once a telex is durable, refusals, orders, notices and invitations.",
                "messages": [{"$ref": f"{channel}/messages/fromRoom"}],
            },
        },
        "components": {
            "securitySchemes": {"link": {"type": "http", "scheme": "bearer", "description": BEARER}},
            "messages": {
                name: {
                    "name": part,
                    "title": title,
                    "summary": summary,
                    "contentType": "application/json",
                    "payload": {"$ref": f"#/components/schemas/{part}"},
                }
                for name, (title, part, summary) in messages.items()
            },
            "schemas": parts("#/components/schemas/{name}"),
        },
    }


def documents() -> dict[str, str]:
    """The text of both files, by name."""
    return {
        "telex.schema.json": json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
        "telex.asyncapi.json": json.dumps(asyncapi(), indent=2, ensure_ascii=False) + "\n",
    }


if __name__ == "__main__":
    for name, text in documents().items():
        (Path(__file__).parent / name).write_text(text, encoding="utf-8")
