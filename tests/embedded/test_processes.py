"""However a run ends, no process stays behind, and the next run comes up."""

import os
import pwd
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from embedded_runs import Run, alive_in, in_child, poll

from citizen_cloud.embedded import Engines, Postgres, erase, programs, scratch
from citizen_cloud.embedded.account import shelter_of

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can try this")
Start = Callable[[], Run]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_process_outlives_a_signalled_run(
    run: Start, folder: Path, signum: signal.Signals
) -> None:
    running = run()
    assert running.line() == "up"
    assert "postgres" in alive_in(folder)
    running.process.send_signal(signum)
    poll(lambda: not alive_in(folder))


def test_ctrl_c_reaches_the_run_and_not_its_servers(engines: Engines) -> None:
    # A terminal signals its whole session's foreground group at once.
    for server in engines.servers.values():
        assert server.process
        assert os.getsid(server.process.pid) != os.getsid(0)


@pytest.mark.parametrize("moment", ["engines/draft-*", "engines/draft-*/base/4", "engines/cluster"])
def test_a_kill_in_the_middle_of_the_first_boot_is_survived(
    run: Start, folder: Path, moment: str
) -> None:
    killed = run()
    poll(lambda: list((folder / "var").glob(moment)))
    killed.process.kill()
    poll(lambda: not alive_in(folder))
    again = run()
    assert again.line() == "up"
    assert not list((folder / "var" / "engines").glob("draft-*"))


def test_a_second_run_is_refused_with_the_pid_of_the_first(run: Start) -> None:
    first = run()
    assert first.line() == "up"
    refusal = run().line()
    assert refusal.startswith("EngineError")
    assert f"in use by another run (process {first.process.pid})" in refusal


def test_locks_of_a_crash_do_not_block(run: Start, folder: Path) -> None:
    running = run()
    assert running.line() == "up"
    running.process.kill()
    poll(lambda: not alive_in(folder))
    # As after a power cut: both files name a process that lives and is somebody else's.
    (folder / "var" / "serve.lock").write_text(f"{os.getpid()}\n")
    cluster = folder / "var" / "engines" / "cluster"
    (cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster}\n{int(time.time())}\n5432\n")
    started = time.monotonic()
    assert run().line() == "up"
    assert time.monotonic() - started < 5


def test_a_dead_server_is_started_again_at_the_same_address(folder: Path) -> None:
    with Engines(folder / "var") as engines:
        for name, server in engines.servers.items():
            assert server.process
            os.kill(server.process.pid, signal.SIGKILL)
            poll(lambda server=server: not server.is_running)
            server.start()
            assert server.is_running, name
        psycopg.connect(engines.environment["DATABASE_URL"]).close()


def test_a_scratch_server_leaves_nothing() -> None:
    with scratch() as postgres:
        home = postgres.home
        psycopg.connect(postgres.url()).close()
    assert not home.exists()
    assert not alive_in(home)


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """Return a folder that only root can enter."""
    made = Path(tempfile.mkdtemp(prefix="closed ", dir="/tmp"))
    yield made
    erase(made / "var")
    shutil.rmtree(made)


@AS_ROOT
def test_root_in_a_closed_folder_keeps_data_elsewhere_and_says_so(closed_folder: Path) -> None:
    told: list[str] = []
    wanted = closed_folder / "var" / "engines"
    with Engines(closed_folder / "var", tell=told.append) as engines:
        assert engines.postgres
        assert engines.postgres.home == shelter_of(wanted)
        owner = engines.postgres.cluster.stat().st_uid
        assert owner != 0
        psycopg.connect(engines.environment["DATABASE_URL"]).close()
    assert len(told) == 1
    assert f"cannot enter {wanted}" in told[0]
    assert str(shelter_of(wanted)) in told[0]
    assert stat.S_IMODE(closed_folder.stat().st_mode) == 0o700


@AS_ROOT
def test_programs_out_of_reach_are_copied_once(
    folder: Path, closed_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = programs._package(programs.WHEEL)
    assert installed
    hidden = closed_folder / installed.name
    shutil.copytree(installed / programs.INSTALL, hidden / programs.INSTALL)
    shutil.copytree(f"{installed}.libs", f"{hidden}.libs")
    monkeypatch.setattr(programs, "_package", lambda _: hidden)
    with Postgres(folder / "pg", durable=False) as postgres:
        psycopg.connect(postgres.url()).close()
    copies = list((folder / "pg").glob("programs-*"))
    assert len(copies) == 1
    assert stat.S_IMODE(closed_folder.stat().st_mode) == 0o700


@AS_ROOT
def test_an_ordinary_user_runs_everything_as_itself(folder: Path) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    home = folder / "home"
    home.mkdir()
    os.chown(home, nobody, nobody)

    def work() -> None:
        with Postgres(home / "pg", durable=False) as postgres:
            psycopg.connect(postgres.url()).close()

    assert in_child(work, uid=nobody) == 0
    assert (home / "pg" / "cluster").stat().st_uid == nobody
    assert not alive_in(folder)
