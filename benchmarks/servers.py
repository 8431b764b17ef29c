"""The servers that clients are measured against: distribution, nginx over static files, a slow one."""

from __future__ import annotations

import getpass
import json
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from benchmarks.measure import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

DEADLINE = 20.0
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
_NGINX = """
user {user}; daemon off; worker_processes 2; pid {scratch}/nginx.pid; error_log {scratch}/error.log crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; open_file_cache max=10000;
  client_body_temp_path {scratch}/body; proxy_temp_path {scratch}/proxy; fastcgi_temp_path {scratch}/fastcgi;
  uwsgi_temp_path {scratch}/uwsgi; scgi_temp_path {scratch}/scgi;
  types {{ }} default_type application/octet-stream;
  map_hash_bucket_size 256; map_hash_max_size 8192;
  map $arg_last $next_page {{ default ""; {links} }}
  server {{
    listen 127.0.0.1:{port}; root {root};
    location = /v2/ {{ default_type application/json; return 200 '{{}}'; }}
    location ~ /manifests/ {{ default_type {manifest_type}; }}
    location ~ /tags/list$ {{
      default_type application/json; add_header Link $next_page; try_files $uri/page$arg_last.json =404;
    }}
  }}
}}
"""


class Missing(Exception):
    """A server or peer that a benchmark needs is not on this machine."""


def need(program: str) -> str:
    """The path of a program. Raises Missing."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if found is None:
        raise Missing(f"{program} is not on this machine")
    return found


def free_port() -> int:
    """A loopback port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def distribution(
    scratch: Path, storage: Path, *, program: str = "docker-registry", delete: bool = False
) -> Iterator[str]:
    """A distribution over a storage tree, logging nothing, as "127.0.0.1:PORT": Debian's, or `registry` for version 3.

    Raises Missing.
    """
    binary, port = need(program), free_port()
    settings = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(storage)},
            "cache": {"blobdescriptor": "inmemory"},
            "delete": {"enabled": delete},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": f"127.0.0.1:{port}", "secret": "loopback"},
    }
    config = scratch / f"distribution-{port}.yml"
    config.write_text(json.dumps(settings))  # JSON is YAML
    with _running([binary, "serve", str(config)], port):
        yield f"127.0.0.1:{port}"


@contextmanager
def nginx(scratch: Path, root: Path, links: dict[str, str] | None = None) -> Iterator[str]:
    """nginx over a folder, as "127.0.0.1:PORT"; `links` are the Link headers of tag pages by `last`. Raises Missing."""
    program, port = need("nginx"), free_port()
    own = scratch / f"nginx-{port}"
    own.mkdir()
    listed = " ".join(f"'{last}' '{link}';" for last, link in (links or {}).items())
    config = own / "nginx.conf"
    # Workers run as whoever measures: the files lie in a folder that nobody else may read.
    user = getpass.getuser()
    text = _NGINX.format(user=user, scratch=own, port=port, root=root, links=listed, manifest_type=MANIFEST_TYPE)
    config.write_text(text)
    with _running([program, "-e", str(own / "start.log"), "-p", str(own), "-c", str(config)], port):
        yield f"127.0.0.1:{port}"


@contextmanager
def slow(root: Path, *, delay: float = 0.0, rate: float = 0.0) -> Iterator[str]:
    """Static files with `delay` seconds before each answer, or at `rate` bytes per second; as "127.0.0.1:PORT"."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.slow_server", str(root), str(port), str(delay), str(rate)]
    with _running(command, port):
        yield f"127.0.0.1:{port}"


@contextmanager
def _running(command: Sequence[str], port: int) -> Iterator[None]:
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT
    ) as started:
        try:
            _wait(started, port)
            yield
        finally:
            started.terminate()
            try:
                started.wait(10)
            except subprocess.TimeoutExpired:
                started.kill()


def _wait(started: subprocess.Popen[bytes], port: int) -> None:
    deadline = monotonic() + DEADLINE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if started.poll() is not None or monotonic() > deadline:
                raise RuntimeError(f"{started.args!r} did not come up") from None
        else:
            return
