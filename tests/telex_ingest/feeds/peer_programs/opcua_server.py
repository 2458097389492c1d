"""An asyncua server; a second argument is a folder with its certificate and key, and lets nobody in without."""

from __future__ import annotations

import asyncio
import logging
import sys

from asyncua import ua
from asyncua.server.server import Server

from telex_ingest.feeds.opcua_example import serve


async def main(port: str, folder: str = "") -> None:
    server = Server()
    nodes = await serve(server, int(port))
    if folder:
        await server.set_application_uri("urn:opsroom:peer")
        server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
        await server.load_certificate(f"{folder}/peer.der")
        await server.load_private_key(f"{folder}/peer.pem")

    async def double(parent: object, amount: ua.Variant) -> list[ua.Variant]:
        await nodes["Stock"].write_value(float(amount.Value))
        return [ua.Variant(2 * amount.Value)]

    await server.nodes.objects.add_method(
        "ns=2;s=Fill", "Fill", double, [ua.VariantType.Double], [ua.VariantType.Double]
    )
    async with server:
        print("up", flush=True)  # noqa: T201 - what its fixture waits for
        await asyncio.Event().wait()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(main(*sys.argv[1:]))
