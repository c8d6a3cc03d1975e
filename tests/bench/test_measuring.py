"""What the benchmark reads from the kernel, and how it shows what it measured. Nothing here measures speed."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import bench
import memory
import pytest
import table
from contestants import add_users
from load import Measured
from processes import cpu_seconds, family, resident_bytes
from sipp_runner.counts import Counts

TREE = "import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
BUSY = "import time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True)\ntime.sleep(60)"


@pytest.fixture
def tree() -> subprocess.Popen[bytes]:
    """A process whose child has used 0.3 s of CPU time and sleeps."""
    command = [sys.executable, "-c", TREE.format(child=BUSY)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout and process.stdout.readline() == b"done\n"
    return process


def test_the_time_and_memory_of_children_count(tree: subprocess.Popen[bytes]) -> None:
    with tree:
        try:
            members = family(tree.pid)
            assert len(members) == 2 and tree.pid in members and os.getpid() not in members
            assert 0.25 < cpu_seconds(tree.pid) < 2
            assert resident_bytes(tree.pid) > 5_000_000
        finally:
            for pid in members:
                os.kill(pid, 9)


def test_a_process_that_is_gone_has_used_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait(10)
        assert cpu_seconds(process.pid) == 0
        assert resident_bytes(process.pid) == 0


def measured(server: str, cpu: float, *, repeated: int = 0, share: float = 0.2, good: int = 1000) -> Measured:
    return Measured(server, 1000, 2.0, cpu, Counts(good, 0, repeated), share, 0.001)


def test_the_ratio_is_taken_round_by_round() -> None:
    rounds = table.Rounds("calls")
    rounds.rows = [
        [measured("Kamailio", 100), measured("Ringway", 250)],
        [measured("Kamailio", 200), measured("Ringway", 300)],
        [measured("Kamailio", 100), measured("Ringway", 300)],
    ]
    assert rounds.ratios("Kamailio") == [2.5, 1.5, 3.0]
    shown = table.lines(rounds)
    assert shown[0] == "calls"
    assert shown[2].split() == ["1", "Kamailio", "100", "500", "0", "0"]
    assert shown[-1] == "  CPU of Ringway / Kamailio: 2.50 1.50 3.00  median 2.50x"


def test_a_disturbed_round_does_not_count_unless_all_were() -> None:
    disturbed = [measured("Kamailio", 100), measured("Ringway", 900, repeated=500)]
    rounds = table.Rounds("calls", [disturbed, [measured("Kamailio", 100), measured("Ringway", 300)]])
    assert rounds.ratios("Kamailio") == [3.0]
    assert table.lines(rounds)[-1] == "  (of the quiet rounds)"
    rounds.rows = [disturbed]
    assert rounds.ratios("Kamailio") == [9.0]
    assert table.lines(rounds)[-1] == "  No round was quiet: the ratios say little."


def test_a_server_alone_has_no_ratio() -> None:
    rounds = table.Rounds("calls", [[measured("Ringway", 250)]])
    assert not any("median" in line for line in table.lines(rounds))
    assert table.as_json({}, [rounds], {})["works"][0]["median_ratio"] == {}


def test_rows_that_say_little_are_marked() -> None:
    rounds = table.Rounds(
        "calls", [[measured("A", 1, repeated=2), measured("B", 1, good=998), measured("C", 1, share=0.9)]]
    )
    first, second, third = table.lines(rounds)[2:5]
    assert first.endswith("disturbed, or too high a rate")
    assert second.split()[5] == "2" and second.endswith("disturbed, or too high a rate")
    assert third.endswith("SIPp used 90% of its core: not the server's limit")
    quiet = table.lines(table.Rounds("calls", [[measured("A", 1, repeated=1)]]))[2]
    assert quiet.split()[-1] == "0"


def test_json_holds_every_number() -> None:
    rounds = table.Rounds("calls", [[measured("Kamailio", 100), measured("Ringway", 260, repeated=7)]])
    whole = table.as_json({"python": "3"}, [rounds], {"memory": []})
    assert whole["python"] == "3" and whole["memory"] == []
    (work,) = whole["works"]
    assert work["median_ratio"] == {"Kamailio": 2.6}
    assert work["rounds"][0][1] == {
        "server": "Ringway", "cpu_us": 260, "per_second": 500.0, "seconds": 2.0, "wanted": 1000, "failed": 0,
        "retransmissions": 7, "sipp_share_of_its_core": 0.2,
    }  # fmt: skip


class Stub:
    """A server whose database is a file with Kamailio's columns, and that starts at once."""

    name = "Stub"
    port = 0
    pid = os.getpid()

    def __init__(self, folder: Path) -> None:
        self.database = folder / "stub.db"
        self.bindings: list[int] = []
        with closing(sqlite3.connect(self.database)) as connection:
            connection.execute(f"create table location ({memory._COLUMNS})")
            connection.execute("create table subscriber (username, domain, ha1, ha1b, unique (username, domain))")

    def start(self, limit: float = 30.0) -> None:
        with closing(sqlite3.connect(self.database)) as connection:
            self.bindings += connection.execute("select count(*) from location").fetchone()

    def stop(self) -> None:
        pass


def test_bindings_are_put_in_between_two_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    server = Stub(tmp_path)
    held = memory.hold(server, 300)
    assert (held.server, held.bindings) == ("Stub", 300)
    assert server.bindings == [0, 300]
    with closing(sqlite3.connect(server.database)) as connection:
        contacts = connection.execute("select count(distinct contact), count(distinct ruid) from location").fetchone()
        (hours,) = connection.execute("select (min(expires) - julianday()) * 24 from location").fetchone()
    assert contacts == (300, 300)
    assert 0.9 < hours < 1.1


def test_users_have_the_hashes_of_their_password(tmp_path: Path) -> None:
    server = Stub(tmp_path)
    add_users(server.database, ["u1"])
    with closing(sqlite3.connect(server.database)) as connection:
        (row,) = connection.execute("select * from subscriber").fetchall()
    # MD5 of u1:bench.example:secret and u1@bench.example:bench.example:secret
    assert row == ("u1", "bench.example", "0be5c2088a1c104d3ee90fafa0729f1e", "001e63d75dbb3f5b2b840f74df79a1cd")


def test_an_unknown_work_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["cals"]) == 2
    assert "there is no work cals; there are calls, register, memory, routes, ramp" in capsys.readouterr().err
