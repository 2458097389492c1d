"""The REST interface under requests made from its own description, by schemathesis, against a real server on loopback."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.opsroom.rooms import make_folder, served

PEOPLE = ("seat-1", "operator", "unit-mill-1", "")
LEFT_OUT = {("POST", "/api/logout")}
"""It would end the session that the other requests need; it has tests of its own."""


def besiege(base: str, cookie: str, examples: int) -> tuple[int, list[str]]:
    """Send every operation requests that fit its description and requests that do not; tells how many, and what broke."""
    import schemathesis  # here, for it takes a second in every worker that only collects this file

    sent, broke = 0, []
    headers = {"cookie": cookie} if cookie else {}
    schema = schemathesis.openapi.from_dict(httpx.get(f"{base}/api/openapi.json").json())
    for result in schema.get_all_operations():
        operation: Any = result.ok()
        if (operation.method.upper(), operation.path) in LEFT_OUT:
            continue
        for mode in schemathesis.GenerationMode:

            @settings(
                max_examples=examples,
                deadline=None,
                database=None,
                phases=(Phase.explicit, Phase.generate),
                suppress_health_check=list(HealthCheck),
                derandomize=True,
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Any) -> None:
                nonlocal sent
                answer = case.call(base_url=base, headers=headers)
                sent += 1
                refused_by_trouble = answer.status_code == 503 and answer.json().get("code") in ("trouble", "busy")
                if answer.status_code >= 500 and not refused_by_trouble:
                    broke.append(f"{answer.status_code} {case.method} {answer.request.url}: {answer.text[:200]}")

            try:
                ask()
            except schemathesis.errors.SchemathesisError:  # nothing can be made that does not fit
                continue
            except Exception as error:
                if type(error).__name__ not in ("Unsatisfiable", "FailedHealthCheck"):
                    raise
    return sent, broke


async def cookie_of(base: str, account: str, passphrases: dict[str, str]) -> str:
    if not account:
        return ""
    async with httpx.AsyncClient(base_url=base, timeout=60) as client:
        answer = await client.post("/api/login", json={"account": account, "passphrase": passphrases[account]})
        return "; ".join(f"{name}={value}" for name, value in answer.cookies.items())


@pytest.mark.long
@pytest.mark.parametrize("account", PEOPLE)
async def test_nobodys_requests_break_the_room(tmp_path: Path, account: str) -> None:
    async with served(make_folder(tmp_path / "room"), anonymous_wall=True) as room:
        base = room.address
        sent, broke = await asyncio.to_thread(besiege, base, await cookie_of(base, account, room.passphrases), 25)
        assert room.hall.failure is None
    assert not broke, "\n".join(broke)
    assert sent > 600
