"""The journal's signed head is for everybody; its proofs are for the room's people and are checked without the room."""

from __future__ import annotations

from pathlib import Path

from opsroom.proof.verify_journal import check_head, check_proof, consistent, included, leaf_hash
from opsroom.record.proving import prove
from tests.opsroom.rooms import make_folder, served


async def test_the_head_and_its_proofs_are_checked_without_the_room(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room")) as room:
        async with room.person() as stranger:
            first = (await stranger.get("/journal/head")).json()
            check_head(first)
            assert first == (await stranger.get("/api/journal/head")).json()
            assert (await stranger.get("/api/journal/events/1/proof")).status_code == 401
        async with room.person("unit-mill-1") as unit:
            assert (await unit.get("/api/journal/events/1/proof")).status_code == 403
        async with room.person("operator") as operator:
            body = {"command": {"command": "hold-orders", "reason": "an exercise"}}
            assert (await operator.post("/api/commands", json=body)).status_code == 200
            second = (await operator.get("/journal/head")).json()
            check_head(second)
            assert second["events"] > first["events"]
            found = (await operator.get("/api/journal/consistency", params={"first": first["events"]})).json()
            path = [bytes.fromhex(one) for one in found["path"]]
            old, new = bytes.fromhex(first["root"]), bytes.fromhex(second["root"])
            assert consistent(first["events"], second["events"], path, old, new)
            assert "begins with" in check_proof(found | {"earlier": first})
            proof = (await operator.get(f"/api/journal/events/{second['events']}/proof")).json()
            assert "line" not in proof
            line = prove(room.hall.journal.path, second["events"])["line"].encode()
            nodes = [bytes.fromhex(one) for one in proof["path"]]
            assert included(leaf_hash(line), proof["event"] - 1, second["events"], nodes, new)
            wall = (await operator.get("/api/snapshot")).json()["line"]
            assert len(wall["journal_head"]) == 64
            for wrong in ("0", "-1", "99", "1e300", "x"):
                assert (await operator.get(f"/api/journal/events/{wrong}/proof")).status_code in (404, 422)
            assert (await operator.get("/api/journal/consistency", params={"first": 99})).status_code == 422
