"""The server that is asked: a process of its own, pinned to its own core, with everything ready to be sent.

nginx where it is installed (Debian: ``apt-get install nginx-light``); else `benchmarks.fallback_server`, asyncio
with the parser of httptools. Which one it was is told in the results.

A region whose number has up to four digits has as many pages of orders as that; beyond those that were made, they come
again. A call without ``page`` gets page 1.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import bodies, cores

__all__ = ["Server", "serving"]

_NGINX = """\
daemon off; master_process off; worker_processes 1;
pid {root}/nginx.pid; error_log stderr error;
events {{ worker_connections 1024; }}
http {{
  access_log off; server_tokens off; etag off; if_modified_since off;
  sendfile on; tcp_nopush on; tcp_nodelay on; default_type application/json;
  keepalive_timeout 600s; keepalive_requests 1000000000; open_file_cache max=2000; open_file_cache_valid 1h;
  client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;
  uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
  map $connection_requests $remaining {{ "~(?<last>.)$" 999999$last; }}
  server {{
    listen 127.0.0.1:{port}; root {root};
    location = /characters/1 {{ {kept_headers} return 200 '{character}'; }}
    location /characters/ {{ {character_headers} return 200 '{character}'; }}
    location ~ "^/markets/(?<pages>[0-9]{{1,4}})/" {{ {sized_headers} try_files /orders/$arg_page.json =404; }}
    location /markets/ {{ {orders_headers} try_files /orders/$arg_page.json =404; }}
    location = /swagger.json {{ }}
  }}
}}
"""


class Server:
    """A running server.

    Attributes:
        kind: which it is, with its version.
        url: its address, without a slash at the end.
        root: the directory that it serves files of.
    """

    def __init__(self, kind: str, port: int, root: Path) -> None:
        self.kind = kind
        self.url = f"http://127.0.0.1:{port}"
        self.root = root


@contextmanager
def serving(pages: int, core: int | None) -> Generator[Server]:
    """A server with this many pages of orders, on this core; it ends with the block."""
    with tempfile.TemporaryDirectory(prefix="esipy-bench-") as directory:
        root = Path(directory)
        orders = root / "orders"
        orders.mkdir()
        for page in range(1, pages + 1):
            (orders / f"{page}.json").write_bytes(bodies.order_page(page))
        for page in range(pages + 1, bodies.MOST_PAGES + 1):
            os.link(orders / f"{(page - 1) % pages + 1}.json", orders / f"{page}.json")
        os.link(orders / "1.json", orders / ".json")
        (root / "swagger.json").write_text("{}")
        port = _free_port()
        kind, command = _command(root, port, pages)
        with cores.pinned(core):
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        try:
            _wait_for(port, process)
            yield Server(kind, port, root)
        finally:
            process.terminate()
            process.wait(10)


def _command(root: Path, port: int, pages: int) -> tuple[str, list[str]]:
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if nginx is None:
        return (
            "asyncio and httptools (no nginx here)",
            [sys.executable, "-m", "benchmarks.fallback_server", str(port), str(root), str(pages)],
        )
    character_headers = bodies.character_headers()
    kept_headers = {name: value for name, value in character_headers.items() if name != "Cache-Control"}
    config = root / "nginx.conf"
    config.write_text(
        _NGINX.format(
            root=root,
            port=port,
            character=bodies.CHARACTER,
            character_headers=_add(character_headers),
            kept_headers=_add(kept_headers) + " expires 300s;",
            orders_headers=_add(bodies.orders_headers(str(pages))),
            sized_headers=_add(bodies.orders_headers("$pages")),
        )
    )
    version = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True).stderr
    kind = version.strip().rpartition(" ")[2]
    return kind, [nginx, "-p", str(root), "-c", str(config), "-e", "stderr"]


def _add(headers: dict[str, str]) -> str:
    return " ".join(f"add_header {name} '{value}';" for name, value in headers.items())


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"the server did not start (exit status {process.poll()})")
