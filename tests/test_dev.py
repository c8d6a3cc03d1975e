"""The `dev` script and what it passes to pytest."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SKIPS = "import pytest\ndef test_good(): pass\ndef test_skipped(): pytest.skip('no such program')\n"
SKIPS_WHOLE = "import pytest\npytest.importorskip('no_such_module_anywhere')\n"


def run(*command: str, cwd: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=60, env={**os.environ, **environ}, check=False
    )


@pytest.mark.parametrize(("text", "counts"), [(SKIPS, "1 failed, 1 passed"), (SKIPS_WHOLE, "1 error")])
def test_a_skip_fails_when_everything_is_required(tmp_path: Path, text: str, counts: str) -> None:
    (tmp_path / "tests").mkdir()
    for file in ("conftest.py", "conformance.py"):
        shutil.copy(ROOT / "tests" / file, tmp_path / "tests")
    (tmp_path / "tests/test_sample.py").write_text(text)
    pytest_here = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--rootdir=.")
    assert "1 skipped" in run(*pytest_here, cwd=tmp_path).stdout
    strict = run(*pytest_here, "--require-all", cwd=tmp_path)
    assert counts in strict.stdout
    assert "but --require-all was given" in strict.stdout
    assert strict.returncode != 0


def test_help_lists_every_command_the_script_knows() -> None:
    shown = run("./dev", "help")
    assert shown.returncode == 0
    for command in ("run", "test", "lint", "bench", "conformance", "fuzz", "sipp", "help"):
        assert f"\n  {command} " in shown.stdout
    assert run("./dev").stdout == shown.stdout


def test_an_unknown_command_is_a_usage_error() -> None:
    result = run("./dev", "tset")
    assert result.returncode == 2
    assert 'unknown command "tset"' in result.stderr


def test_without_python_it_says_what_to_install(tmp_path: Path) -> None:
    """A copy in an empty folder, and a path with nothing but the shell's own tools."""
    result = run_without(tmp_path, python=None)
    assert result.returncode == 1
    assert "Python 3.11 or newer is needed" in result.stderr


def test_without_the_venv_module_it_says_what_to_install(tmp_path: Path) -> None:
    result = run_without(
        tmp_path, python=f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; *) exec {sys.executable} "$@";; esac\n'
    )
    assert result.returncode == 1
    major, minor = sys.version_info[:2]
    assert f"apt-get install python{major}.{minor}-venv" in result.stderr
    assert not (tmp_path / ".venv").exists()


def run_without(folder: Path, python: str | None) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / "dev", folder)
    tools = folder / "bin"
    tools.mkdir()
    for tool in ("dirname", "id", "cksum", "cat"):
        found = shutil.which(tool)
        assert found is not None
        (tools / tool).symlink_to(found)
    if python is not None:
        (tools / "python3").write_text(python)
        (tools / "python3").chmod(0o755)
    # The script adds the system folders for kamailio; there is no Python in them.
    return run("/bin/sh", "dev", "run", cwd=folder, PATH=str(tools))


def test_only_packages_of_programs_that_are_not_there_are_installed(tmp_path: Path) -> None:
    """Node may come from elsewhere, and Debian's package would not go together with it."""
    for tool in ("dirname", "id", "cat", "find"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or "")
    for program in ("sipp", "sipsak", "baresip", "kamailio", "named", "node", "npm"):
        (tmp_path / program).write_text("#!/bin/sh\n")
        (tmp_path / program).chmod(0o755)
    named = run("/bin/sh", "-c", ". ./dev >/dev/null && missing_packages", PATH=str(tmp_path))
    assert set(named.stdout.split()) - {"kamailio-sqlite-modules"} == {"chromium"}, named.stderr


def test_the_packages_of_the_browser_come_from_the_public_registry() -> None:
    lock = json.loads((ROOT / "tests" / "browser" / "package-lock.json").read_text())
    wanted = json.loads((ROOT / "tests" / "browser" / "package.json").read_text())["dependencies"]
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert set(wanted) <= {name.removeprefix("node_modules/") for name in packages}
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert package.get("resolved", "https://registry.npmjs.org/").startswith("https://registry.npmjs.org/"), name
    for name, version in wanted.items():
        assert packages[f"node_modules/{name}"]["version"] == version


def test_continuous_integration_runs_what_a_developer_runs() -> None:
    assert (ROOT / ".ci/run").read_text().rstrip().endswith('exec "$(dirname "$0")/../dev" test --require-all')
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert os.access(ROOT / "dev", os.X_OK)
