"""How the virtual environment comes about."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
PIP = """#!/bin/sh
case "$*" in *install*) echo begins >>log; sleep 0.2; echo ends >>log ;; esac
"""


def test_of_two_at_once_the_second_waits_for_the_first(tmp_path: Path) -> None:
    script = tmp_path / "requirements" / "install.sh"
    python = tmp_path / ".venv" / "bin" / "python"
    for path in (script, python):
        path.parent.mkdir(parents=True)
    shutil.copy(ROOT / "requirements" / "install.sh", script)
    python.write_text(PIP)
    python.chmod(0o755)
    both = [subprocess.Popen([script, each], stdout=subprocess.DEVNULL) for each in ("run", "dev")]
    assert [each.wait(timeout=20) for each in both] == [0, 0]
    assert (tmp_path / "log").read_text().split() == ["begins", "ends"] * 2
