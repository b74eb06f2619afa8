"""`kan-workbench app`: start the page's server, open the browser, and stop both together.

The server is a process of its own (`streamlit run workbench/ui/asgi.py`), because the page belongs to another branch of the package: it
must not be imported here. The app listens on the loopback address. A table of unpublished measurements must not be one typing error
away from the whole institute, so any other address is refused until a sign-in is configured:

    .streamlit/secrets.toml   [auth]                        sign-in by OpenID Connect
    .streamlit/config.toml    server.trustedUserHeaders     a reverse proxy that has signed the person in
"""

from __future__ import annotations

import argparse
import http.client
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import workbench
from workbench.exceptions import WorkbenchError

DEFAULT_PORT = 8501
WORKSPACE_VARIABLE = "KAN_WORKBENCH_WORKSPACE"      # the page reads it; unset, it keeps the projects in the user's data folder
START_SECONDS = 60.0
STOP_SECONDS = 8.0


class ServerError(WorkbenchError):
    """The app cannot be served as it was asked for."""


def app(options: argparse.Namespace) -> int:
    """Serve the app until it is stopped with Ctrl+C."""
    page = Path(workbench.__file__).parent / "ui" / "asgi.py"
    require_sign_in(options.host, _settings_folders(page))
    port = options.port if options.port else free_port(options.host)
    if options.port and not _is_free(options.host, port):
        raise ServerError(f"--port {port}: something else is listening there. Leave --port out, and a free port is taken.")
    environment = dict(os.environ)
    if options.workspace:
        environment[WORKSPACE_VARIABLE] = str(_workspace(options.workspace))
    try:
        with _server(_command(page, options.host, port), environment) as process:
            _wait_until_up(process, options.host, port)
            address = f"http://{_bracketed(_reachable(options.host))}:{port}"
            print(f"KAN Workbench is at {address} (Ctrl+C stops it).", flush=True)
            if not options.no_browser and _has_screen(os.environ):
                webbrowser.open(address)
            process.wait()
    except KeyboardInterrupt:
        return 0                                # how a person ends the app is no failure
    raise RuntimeError(f"the server stopped by itself with code {process.returncode}")


def free_port(host: str, first: int = DEFAULT_PORT, tries: int = 100) -> int:
    """Return the first port from `first` on where nothing listens.

    Raises
    ------
    ServerError : `tries` ports in a row are taken
    """
    for port in range(first, first + tries):
        if _is_free(host, port):
            return port
    raise ServerError(f"no port from {first} to {first + tries - 1} is free on {host}; name one with --port.")


def require_sign_in(host: str, folders: list[Path]) -> None:
    """Refuse an address that others can reach, unless one of the `.streamlit` folders configures a sign-in.

    Raises
    ------
    ServerError : `host` is not this machine's own address and nobody would have to sign in
    """
    if is_loopback(host) or any(_configures_sign_in(folder) for folder in folders) or os.environ.get("STREAMLIT_SERVER_TRUSTED_USER_HEADERS"):
        return
    raise ServerError(
        f"--host {host}: others could reach the app and nobody would have to sign in. Keep to 127.0.0.1, or configure a sign-in first: "
        f"[auth] in {folders[0] / 'secrets.toml'}, or server.trustedUserHeaders in config.toml behind a reverse proxy."
    )


def is_loopback(host: str) -> bool:
    """Say whether an address can be reached from this machine only.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _settings_folders(page: Path) -> list[Path]:
    """List the folders where Streamlit looks for settings, the nearest first."""
    return [Path.cwd() / ".streamlit", page.parent / ".streamlit", Path.home() / ".streamlit"]


def _configures_sign_in(folder: Path) -> bool:
    secrets, config = _read_toml(folder / "secrets.toml"), _read_toml(folder / "config.toml")
    return bool(secrets.get("auth")) or bool(config.get("server", {}).get("trustedUserHeaders"))


def _read_toml(path: Path) -> dict:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ServerError(f"{path} cannot be read as TOML: {error}") from error


def _workspace(folder: str) -> Path:
    """Make the folder of the projects, and return it as an absolute path."""
    path = Path(folder).expanduser().absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ServerError(f"--workspace {folder}: it is a file, or lies inside one; name a folder.") from error
    if not os.access(path, os.W_OK):
        raise ServerError(f"--workspace {folder}: nothing can be written there; name a folder of your own.")
    return path


def _is_free(host: str, port: int) -> bool:
    """Say whether a server could listen there now."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise ServerError(f"--host {host}: this machine knows no such address ({error.strerror}).") from error
    with socket.socket(family, kind, protocol) as probe:
        if os.name == "posix":      # a port that was closed a moment ago counts as free, as it does for the server
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return False
    return True


def _command(page: Path, host: str, port: int) -> list[str]:
    """Compose the server's command: Streamlit's own greeting and question for an e-mail address stay out."""
    flags = {"server.port": port, "server.address": host, "server.headless": "true", "logger.hideWelcomeMessage": "true"}
    if not is_loopback(host):
        flags["server.allowedHosts"] = "*"      # the sign-in guards it now, and only the proxy knows the public name
    return [sys.executable, "-m", "streamlit", "run", str(page), *(f"--{name}={value}" for name, value in flags.items())]


@contextmanager
def _server(command: list[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen]:
    """Run a server for as long as the block runs; SIGTERM ends the block as Ctrl+C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    process = subprocess.Popen(command, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        signal.signal(signal.SIGTERM, before)


def _wait_until_up(process: subprocess.Popen, host: str, port: int) -> None:
    """Return when the server answers."""
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up:
        if process.poll() is not None:
            raise RuntimeError(f"the server stopped with code {process.returncode} before it was up")
        connection = http.client.HTTPConnection(_reachable(host), port, timeout=2.0)
        try:
            connection.request("GET", "/_stcore/health")
            if connection.getresponse().status == http.client.OK:
                return
        except OSError:
            pass                                # not listening yet: ask again
        finally:
            connection.close()
        time.sleep(0.1)
    raise RuntimeError(f"the server did not answer within {START_SECONDS:.0f} s")


def _reachable(host: str) -> str:
    """Return the address under which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _has_screen(environment: Mapping[str, str]) -> bool:
    """Say whether a browser window could open: not under CI, and on Linux only in a graphical session."""
    if environment.get("CI"):
        return False
    return not sys.platform.startswith("linux") or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
