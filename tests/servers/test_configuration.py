"""A server that can't start says all that is wrong, with its place, and leaves nothing behind."""

from __future__ import annotations

import socket
from pathlib import Path

from sipp_runner.ports import is_bound
from sipp_runner.server import Server

from tests.servers.conftest import NewServer

BAD_CONFIGURATION = 78  # EX_CONFIG of sysexits.h, which the systemd unit does not restart after
FAILURE = 1


def run_to_its_end(server: Server) -> tuple[int, str]:
    """`ringway run`: its exit code and all it printed."""
    done = server.command("run", "-f", str(server.file))
    return done.returncode, done.stdout + done.stderr


def files(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_every_mistake_of_the_configuration_is_listed(new_server: NewServer) -> None:
    server = new_server()
    server.file.write_text(
        f'listen = ["udp:127.0.0.1:{server.port}", "udq:127.0.0.1:5060"]\n'
        'domains = []\n'
        'rutes = "main.route"\n'
        '[database]\n'
        'url = "oracle://x"\n'
    )  # fmt: skip
    before = files(server.folder)
    code, printed = run_to_its_end(server)
    assert code == BAD_CONFIGURATION
    for place in ("ringway.toml:1", "ringway.toml:2", "ringway.toml:3", "ringway.toml:5"):
        assert place in printed, printed
    assert "routes" in printed  # the nearest known key
    assert "Traceback" not in printed
    assert files(server.folder) == before


def test_every_mistake_of_the_route_is_listed(new_server: NewServer) -> None:
    server = new_server()
    (server.folder / "main.route").write_text(
        "on request {\n"
        '    if request.methd == "OPTIONS" { reply(200) }\n'
        "    repli(404)\n"
        "    reply(1000)\n"
        "}\n"
    )  # fmt: skip
    code, printed = run_to_its_end(server)
    assert code == BAD_CONFIGURATION
    for place in ("main.route:2:", "main.route:3:", "main.route:4:"):
        assert place in printed, printed
    assert "method" in printed and "reply" in printed
    assert "^" in printed
    assert "Traceback" not in printed
    assert not is_bound("udp", server.port) and not is_bound("tcp", server.port)


def test_mistakes_of_both_files_come_together(new_server: NewServer) -> None:
    server = new_server(configuration="[lgo]\nlevel = 'info'")
    (server.folder / "main.route").write_text("on request { repli(404) }\n")
    code, printed = run_to_its_end(server)
    assert code == BAD_CONFIGURATION
    assert "lgo" in printed and "repli" in printed


def test_a_missing_route_file_is_named(new_server: NewServer) -> None:
    server = new_server()
    (server.folder / "main.route").unlink()
    code, printed = run_to_its_end(server)
    assert code == BAD_CONFIGURATION
    assert "main.route" in printed and "Traceback" not in printed


def test_check_finds_the_same_and_says_nothing_of_what_is_right(new_server: NewServer) -> None:
    server = new_server()
    assert server.command("check", "-f", str(server.file)).returncode == 0
    (server.folder / "main.route").write_text("on request { repli(404) }\n")
    done = server.command("check", "-f", str(server.file))
    assert done.returncode == 1
    assert "main.route:1:" in done.stdout + done.stderr


def test_a_port_in_use_is_named(new_server: NewServer) -> None:
    server = new_server()
    server.add_users([])
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.bind((server.host, server.port))
        other.listen()
        code, printed = run_to_its_end(server)
    assert code == FAILURE
    assert f"{server.host}:{server.port}" in printed and "in use" in printed
    assert "Traceback" not in printed
    assert not is_bound("udp", server.port)


def test_a_second_server_on_the_same_ports_does_not_start(new_server: NewServer, server: Server) -> None:
    """Two processes that share a UDP port would each get a part of the calls."""
    second = new_server()
    second.file.write_text(server.file.read_text())
    second.add_users([])
    code, printed = run_to_its_end(second)
    assert code == FAILURE
    assert "in use" in printed and "Traceback" not in printed
    assert server.is_running()
