#!/bin/sh
# Make .venv with the first Python 3.11 or newer there is, and install what is locked: install.sh run|dev
set -eu
cd "$(dirname "$0")/.."

# Two at once would take .venv from under each other: the second one waits.
if command -v flock >/dev/null; then
    exec 9<requirements/install.sh
    flock 9
else
    until mkdir .installing 2>/dev/null; do
        [ -z "$(find .installing -prune -mmin +10)" ] || rmdir .installing 2>/dev/null || true
        sleep 1
    done
    trap 'rmdir .installing' EXIT
    trap 'exit 1' INT TERM
fi

is_new_enough='import sys; sys.exit(sys.version_info < (3, 11))'

# Asked from / as well: a pyenv shim obeys .python-version and fails where that version is not installed.
find_python() {
    for folder in . /; do
        for name in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11 python; do
            (cd "$folder" && "$name" -c "$is_new_enough; import venv" && "$name" -c 'import sys; print(sys.executable)') \
                2>/dev/null && return
        done
    done
    echo "Herdbook needs Python 3.11 or newer; 'python3' here is $(python3 --version 2>&1 | head -n 1)." >&2
    echo "Install one, or name it: make run PYTHON=/path/to/python3.13" >&2
    return 1
}

if ! .venv/bin/python -c "$is_new_enough" 2>/dev/null; then
    python=$(find_python)
    echo "Making .venv with $("$python" --version)"
    rm -rf .venv
    # Debian ships venv without pip; then the pip outside installs into it.
    "$python" -m venv .venv >/dev/null 2>&1 || { rm -rf .venv; "$python" -m venv --without-pip .venv; }
    echo "$python" >.venv/made-with
fi

if .venv/bin/python -m pip --version >/dev/null 2>&1; then
    pip() { .venv/bin/python -m pip "$@"; }
else
    pip() { "$(cat .venv/made-with)" -m pip --python .venv/bin/python "$@"; }
    if ! pip --version >/dev/null 2>&1; then
        echo "$(cat .venv/made-with) has no pip; install it (Debian: apt install python3-venv) and try again." >&2
        exit 1
    fi
fi
echo "Installing requirements/$1.txt"
# The file names everything. An older pip would look beside it for what a package asks for with an extra.
pip install --quiet --no-input --disable-pip-version-check --require-hashes --no-deps -r "requirements/$1.txt"
touch ".venv/$1.installed"
