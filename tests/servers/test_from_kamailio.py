"""The configuration that docs/from-kamailio.md compares with is one that Kamailio accepts."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from sipp_runner.kamailio import PATH

from tests.test_from_kamailio import WHOLE, fences


@pytest.mark.program("kamailio")
def test_kamailio_accepts_its_side(tmp_path: Path) -> None:
    gateways = tmp_path / "dispatcher.list"
    gateways.write_text("1 sip:one.example.net 0 10\n1 sip:two.example.net 0 5\n", "utf-8")
    text = re.sub(r"/etc/kamailio/dispatcher\.list", str(gateways), "".join(fences("kamailio", WHOLE)))
    assert str(gateways) in text
    file = tmp_path / "kamailio.cfg"
    file.write_text(f"#!KAMAILIO\n{text}", "utf-8")
    program = shutil.which("kamailio", path=PATH)
    assert program is not None
    asked = subprocess.run([program, "-c", "-f", str(file)], capture_output=True, text=True, timeout=60)
    assert asked.returncode == 0, asked.stderr
    assert "config file ok" in asked.stderr


@pytest.mark.program("kamailio")
def test_kamailio_would_tell_a_mistake(tmp_path: Path) -> None:
    file = tmp_path / "kamailio.cfg"
    file.write_text('#!KAMAILIO\nloadmodule "tm.so"\nrequest_route { t_relai(); }\n', "utf-8")
    program = shutil.which("kamailio", path=PATH)
    assert program is not None
    asked = subprocess.run([program, "-c", "-f", str(file)], capture_output=True, text=True, timeout=60)
    assert asked.returncode != 0
