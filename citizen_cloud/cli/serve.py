"""``citizen-cloud serve``: everything one machine needs, from nothing, in one command."""

import http.client
import os
import shlex
import shutil
import socket
import sys
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import click

from citizen_cloud.cli.demo import prepare
from citizen_cloud.cli.environment import VAR, publish
from citizen_cloud.cli.supervise import (
    Service,
    Startable,
    Stopped,
    Tended,
    running,
    stoppable,
    supervise,
)
from citizen_cloud.config import load_settings
from citizen_cloud.embedded import EngineError, Engines, erase
from citizen_cloud.embedded.process import tail, until
from citizen_cloud.migrations import upgrade

READY_S = 60.0
HOST = "127.0.0.1"


class Progress:
    """Says what happens and how many seconds after the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __call__(self, sentence: str) -> None:
        """Print one line."""
        click.echo(f"[{time.monotonic() - self._started:6.1f} s] {sentence}")


@click.command("serve")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option("--fresh", is_flag=True, help="Erase the data of this folder first.")
@click.option(
    "--var",
    default="var",
    envvar=VAR,
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where data, keys and logs are kept.",
)
def command(port: int, workers: int, var: Path, *, fresh: bool) -> None:
    """Run Citizen Cloud on this machine: database, cache, API and job worker.

    Servers named by DATABASE_URL and REDIS_URL are used instead of embedded ones.
    """
    tell = Progress()
    try:
        with stoppable():
            _serve(port=port, workers=workers, var=var.absolute(), fresh=fresh, tell=tell)
    except Stopped as stopped:
        tell(f"stopped ({stopped})")
    except (EngineError, OSError) as error:
        raise click.ClickException(str(error)) from error


def _serve(*, port: int, workers: int, var: Path, fresh: bool, tell: Callable[[str], None]) -> None:
    _require_free(port)
    if fresh:
        tell(f"erasing {var}")
        erase(var)
    tell(f"starting the databases in {var}")
    with Engines(var, tell=tell) as engines:
        os.environ.setdefault("CITIZEN_CLOUD_PUBLIC_URL", f"http://{HOST}:{port}")
        os.environ.update(engines.environment)
        url = os.environ["CITIZEN_CLOUD_PUBLIC_URL"]
        publish(var, {**engines.environment, "CITIZEN_CLOUD_PUBLIC_URL": url})
        settings = load_settings()
        tell("checking migrations")
        upgrade(settings, progress=tell)
        prepare(settings, var, tell)
        services = _services(port, workers, var)
        with running(services):
            tell(f"starting {workers} API workers and the job worker")
            _await_ready(services[0], port)
            tell("ready")
            _welcome(port, var)
            named: dict[str, Startable] = {each.name: each for each in services}
            tended = [Tended(n, s, tell) for n, s in (named | engines.servers).items()]
            supervise(tended, reload=lambda: _reload(services, tell))


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            message = f"port {port} of {HOST} cannot be used ({error.strerror}); choose --port"
            raise EngineError(message) from error


def _services(port: int, workers: int, var: Path) -> tuple[Service, Service]:
    """Describe the API and the job worker; they inherit this environment."""
    metrics = var / "metrics"
    # Counters of processes that are gone would be counted for ever.
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir()
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(metrics)}
    python = (sys.executable, "-P", "-m")
    gunicorn = (*python, "gunicorn", "-c", "python:citizen_cloud.web.gunicorn_conf")
    bind = ("--bind", f"{HOST}:{port}", "--workers", str(workers), "citizen_cloud.wsgi:application")
    jobs = (*python, "citizen_cloud.cli", "jobs", "work")
    return (
        Service("API", (*gunicorn, *bind), var / "log" / "api.log", environment),
        Service("job worker", jobs, var / "log" / "jobs.log", environment),
    )


def _reload(services: tuple[Service, ...], tell: Callable[[str], None]) -> None:
    tell("the API and the job worker read settings and keys again")
    for service in services:
        service.reload()


def _await_ready(api: Service, port: int) -> None:
    answered = until(lambda: not api.is_running or _is_ready(port), seconds=READY_S, pause=0.05)
    if not answered or not api.is_running:
        message = f"the API does not become ready; {api.log} ends:\n{tail(api.log)}"
        raise EngineError(message)


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _welcome(port: int, var: Path) -> None:
    url = f"http://{HOST}:{port}"
    command_line = f"{shlex.quote(sys.executable)} -m citizen_cloud.cli"
    click.echo(f"""
市民云 Citizen Cloud        {url}
接口文档 API documents      {url}/docs
登录 sign in                任意 +86 手机号 any +86 mobile number
验证码 codes                {var / "sms.log"}
工作人员 staff secrets      {var / "demo.json"}
演示 guided tour            {command_line} demo
测试 tests                  ./scripts/test
日志 logs                   {var / "log"}
重新开始 start anew         ./scripts/serve --fresh
停止 stop                   Ctrl-C
""")
