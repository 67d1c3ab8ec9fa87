"""The `openqi` command. Exit codes: 0 done, 1 refused with a sentence, 2 wrong usage.

A command loads what it alone needs: the API takes a second, which a worker has no use for.
"""

import asyncio
import gc
import json
import os
import secrets
import signal
import socket
import sqlite3
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import structlog
import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from app import __version__
from app.identity.keys import UnusableKey, generate_key
from app.jobs.pace import SLOTS
from app.kit import migrations
from app.kit.answers import API_PREFIX
from app.kit.db import Database, make_engine, normalise_url
from app.kit.errors import OpenQIError
from app.kit.loading import loading
from app.kit.logging import configure
from app.kit.negotiation import CSV, JSON_LINES
from app.kit.remote import Declined, Remote, Unreachable
from app.kit.scraping import NotListening
from app.kit.single_process import DatabaseInUse, sole_process
from app.settings import Settings

if TYPE_CHECKING:
    from app.main import OpenQI

SAFE_SQLITE = (3, 51, 3)  # before it, the write-ahead log could be corrupted by two processes

app = typer.Typer(
    help="Run healthcare quality-improvement programmes: API server and administration.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Host = Annotated[str, typer.Option(envvar="HOST", help="Address to listen on.")]
Port = Annotated[int, typer.Option(envvar="PORT", min=0, max=65_535, help="Port to listen on.")]
WithWorker = Annotated[
    bool | None,
    typer.Option(
        "--worker/--no-worker",
        help="Work off jobs too (OPENQI_WORKER); with SQLite always.",
        show_default=False,
    ),
]


def _fail(sentence: str) -> NoReturn:
    typer.echo(f"openqi: {sentence}", err=True)
    raise typer.Exit(1)


@contextmanager
def _clear_failures() -> Iterator[None]:
    """What can go wrong at the start, each in one sentence and with exit code 1."""
    try:
        yield
    except ValidationError as fault:
        _fail("; ".join(f"{_setting(error)}: {error['msg']}" for error in fault.errors()))
    except UnusableKey as fault:
        _fail(str(fault))
    except DatabaseInUse as fault:
        _fail(f"another OpenQI process serves {fault}; a SQLite database takes one at a time.")
    except (Declined, NotListening, Unreachable) as fault:
        _fail(f"{fault}.")
    except OpenQIError as fault:
        _fail(fault.detail or fault.title)
    except SQLAlchemyError as fault:
        cause = str(getattr(fault, "orig", fault)).strip().splitlines()[0]
        _fail(f"the database cannot be used: {cause}.")
    except OSError as fault:
        _fail(f"{fault.filename or 'a file'} cannot be used ({fault.strerror or fault}).")


def _setting(error: object) -> str:
    location = error["loc"] if isinstance(error, dict) else ()
    return f"OPENQI_{location[0]}".upper() if location else "settings"


def _settings() -> Settings:
    settings = Settings()
    configure(level=settings.log_level, log_format=settings.log_format)
    return settings


def _bind(host: str, port: int) -> socket.socket:
    """Take the port before anything is touched, so that a busy one leaves all as it was."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio switches Nagle's algorithm off only where it is: else
    # every answer on a kept connection waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as fault:
        listener.close()
        _fail(f"{host}:{port} cannot be listened on ({fault.strerror}); choose another PORT.")
    return listener


def _check_schema(settings: Settings) -> None:
    """Refuse a database that a newer version wrote; nothing in it is touched."""
    engine = make_engine(settings.database_url)
    try:
        if migrations.is_newer(engine):
            _fail(
                f"the database has a newer schema than OpenQI {__version__} knows; "
                "install the newer version."
            )
    finally:
        engine.dispose()


def _migrate(settings: Settings) -> None:
    _check_schema(settings)
    migrations.upgrade(settings.database_url)


def _serve(application: "OpenQI", listener: socket.socket, settings: Settings) -> None:
    import uvicorn

    from app.kit.serving import Server

    config = uvicorn.Config(
        application,
        log_config=None,  # kit.logging has set up everything
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        timeout_graceful_shutdown=20,
    )
    # What is loaded by now stays for good; the collector need not look at it again and again.
    gc.collect()
    gc.freeze()
    Server(config, before_stop=application.state.viewers.stop).run(sockets=[listener])


def _is_sqlite(settings: Settings) -> bool:
    return normalise_url(settings.database_url).get_backend_name() == "sqlite"


def _warn_of_old_sqlite(settings: Settings) -> None:
    if _is_sqlite(settings) and sqlite3.sqlite_version_info < SAFE_SQLITE:
        structlog.get_logger().info(
            "old_sqlite",
            version=sqlite3.sqlite_version,
            advice="open the database file with one process only",
        )


@app.command()
def demo(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the Barnet demonstration: fictional people, synthetic data, on a local database."""
    with loading():
        from app.demo import barnet
        from app.demo.welcome import welcome
        from app.main import create_app
        from app.worker import working
    with _clear_failures():
        settings = _settings().model_copy(update={"log_format": "console", "log_level": "WARNING"})
        configure(level=settings.log_level, log_format=settings.log_format)
        listener = _bind(host, port)
        address = f"http://{host}:{listener.getsockname()[1]}"
        settings = settings.model_copy(update={"public_url": address})
        with sole_process(settings.database_url):
            _migrate(settings)
            application = create_app(settings, background=working)
            password = secrets.token_urlsafe(12)
            shown = barnet.load(
                application.state.database, application.state.passwords, password=password
            )
            typer.echo(welcome(address, password, shown))
            _serve(application, listener, settings)


@app.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000, with_worker: WithWorker = None) -> None:
    """Serve the API. The database must have been brought up to date by `openqi migrate`."""
    with loading():
        from app.main import create_app
        from app.worker import working
    with _clear_failures():
        settings = _settings()
        _warn_of_old_sqlite(settings)
        # SQLite takes one process, so whoever serves works too.
        works = settings.worker if with_worker is None else with_worker
        background = working if works or _is_sqlite(settings) else None
        listener = _bind(host, port)
        with sole_process(settings.database_url):
            _require_present_schema(settings)
            _serve(create_app(settings, background=background), listener, settings)


def _require_present_schema(settings: Settings) -> None:
    _check_schema(settings)
    engine = make_engine(settings.database_url)
    with engine.connect() as connection:
        revision = migrations.current(connection)
    engine.dispose()
    if revision != migrations.head():
        _fail("the database is not up to date; run `openqi migrate` first.")


@app.command()
def worker(
    queues: Annotated[
        str | None, typer.Option(help=f"Only these, by commas: {', '.join(SLOTS)}.")
    ] = None,
) -> None:
    """Work off jobs beside servers on PostgreSQL; any number of workers may run."""
    with _clear_failures():
        settings = _settings()
        if _is_sqlite(settings):
            _fail("a SQLite database has its worker inside `openqi serve`; start that alone.")
        chosen = [name.strip() for name in queues.split(",")] if queues is not None else None
        for name in chosen or ():
            if name not in SLOTS:
                _fail(f"there is no queue {name!r}; there are {', '.join(SLOTS)}.")
        _require_present_schema(settings)
        asyncio.run(_work(settings, chosen))


async def _work(settings: Settings, queues: list[str] | None) -> None:
    """Until SIGTERM or Ctrl-C."""
    with loading():
        from app.parts import make_parts
        from app.worker import telling, working
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    parts = make_parts(settings)
    async with telling(parts), working(parts, queues=queues):
        structlog.get_logger().info("working", queues=queues or list(SLOTS))
        await ended.wait()
    parts.database.dispose()


@app.command()
def migrate() -> None:
    """Bring the database to this version's schema."""
    with _clear_failures():
        settings = _settings()
        with sole_process(settings.database_url):
            _migrate(settings)
        typer.echo(f"The database is at revision {migrations.head()}.")


@app.command("create-admin")
def create_admin(
    email: Annotated[str, typer.Argument(help="E-mail address to log in with.")],
    name: Annotated[str, typer.Option(help="Name to show.")] = "Administrator",
) -> None:
    """Make an administrator of the platform; the password is read from the prompt or a pipe."""
    with loading():
        from app import tables  # noqa: F401 - a foreign key finds its table
        from app.access import bootstrap
        from app.identity.passwords import Passwords
    with _clear_failures():
        settings = _settings()
        if sys.stdin.isatty():
            password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        else:
            password = sys.stdin.readline().rstrip("\n")
        passwords = Passwords(memory_kib=settings.password_memory_kib)
        database = Database(settings.database_url)
        with database.transaction() as session:
            bootstrap.create_administrator(
                session, passwords=passwords, email=email, display_name=name, password=password
            )
        database.dispose()
        typer.echo(f"{email} can log in and administer the platform.")


@app.command()
def openapi(
    check: Annotated[
        Path | None, typer.Option(help="Compare with this file; exit 1 on a difference.")
    ] = None,
) -> None:
    """Print the OpenAPI document of this version."""
    with _clear_failures():
        document = json.dumps(_document(), indent=1, ensure_ascii=False) + "\n"
        if check is None:
            typer.echo(document, nl=False)
        elif check.read_text() != document:
            _fail(f"{check} is not the document of this version; run `make openapi`.")


def _document() -> object:
    with loading():
        from app.main import create_app
    settings = Settings.model_validate({"signing_key": generate_key(), "database_url": "sqlite://"})
    return create_app(settings).openapi()


@app.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV, or JSON Lines (.jsonl).")
    ],
    measure: Annotated[
        uuid.UUID | None, typer.Option(help="The measure to load the rows into.")
    ] = None,
    project: Annotated[
        uuid.UUID | None, typer.Option(help="Its project, where each row names its measure.")
    ] = None,
    system: Annotated[
        str | None, typer.Option(help="With --project: whose ids stand in external_id.")
    ] = None,
    url: Annotated[str, typer.Option(help="Address of the server.")] = "http://127.0.0.1:8000",
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with a token of data_point:write; else OPENQI_TOKEN holds it."),
    ] = None,
    mode: Annotated[
        Literal["upsert", "insert"], typer.Option(help="insert refuses what exists.")
    ] = "upsert",
    on_error: Annotated[
        Literal["fail", "skip"], typer.Option(help="skip leaves rows with faults out.")
    ] = "fail",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and count only.")] = False,
) -> None:
    """Load a file of data points into a server and show how far it is."""
    from rich.console import Console

    from app.operations import terminal

    console, path = Console(), _import_path(measure, project, system)
    params: dict[str, object] = {"mode": mode, "on_error": on_error, "dry_run": dry_run}
    if system is not None:
        params["system"] = system
    with _clear_failures(), Remote(url, _token(token_file)) as remote:
        try:
            _, headers = remote.send(
                "POST",
                path,
                content=file.read_bytes(),
                media_type=JSON_LINES if file.suffix in {".jsonl", ".ndjson"} else CSV,
                params=params,
            )
            done = terminal.follow(remote, headers["Location"], console=console)
        except Declined as fault:
            terminal.show_faults(fault.problem.get("errors", ()), console)
            raise
        if not terminal.show_end(done, console):
            raise typer.Exit(1)


def _import_path(measure: uuid.UUID | None, project: uuid.UUID | None, system: str | None) -> str:
    if (measure is None) is (project is None):
        raise typer.BadParameter("say where the rows go: --measure or --project, one of them")
    if project is None and system is not None:
        raise typer.BadParameter("--system goes with --project")
    place = f"measures/{measure}" if project is None else f"projects/{project}"
    return f"{API_PREFIX}/{place}/imports"


def _token(file: Path | None) -> str:
    """From a file or the environment: what stands on a command line, every process can read."""
    token = file.read_text() if file else os.environ.get("OPENQI_TOKEN", "")
    return token.strip() or _fail("give a token: --token-file, or OPENQI_TOKEN.")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)
