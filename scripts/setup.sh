#!/bin/sh
# Makes .venv hold exactly what requirements.lock names, and leerbudget itself as an editable install.
# Needs Python >= 3.11. Complaints are one plain line each. PYTHON=/path/to/python chooses another Python.
set -u
cd "$(dirname "$0")/.." || exit 1
here=$(pwd -P)

say() { echo "setup: $*"; }
fail() { echo "setup: $*" >&2; exit 1; }

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        recent "$PYTHON" || fail "PYTHON=$PYTHON is not a Python of version 3.11 or newer"
        echo "$PYTHON"
        return
    fi
    for name in python3 python3.13 python3.12 python3.11 python3.14 python; do
        if recent "$name"; then echo "$name"; return; fi
    done
    fail "Python 3.11 or newer is needed; found: $(python3 --version 2>/dev/null || echo none)"
}

# Debian keeps the module that makes virtual environments in a package of its own.
ensure_venv_module() {
    "$1" -c 'import ensurepip, venv' >/dev/null 2>&1 && return
    package=$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing $package through apt"
        { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$package"; } \
            >/dev/null 2>&1 </dev/null || true
    fi
    "$1" -c 'import ensurepip, venv' >/dev/null 2>&1 || fail "this Python cannot make virtual environments; install $package"
}

# A virtual environment that came along with a moved or copied folder still points to the old place.
at_home() {
    made_by=$(grep '^command' .venv/pyvenv.cfg 2>/dev/null) || return 0
    case "$made_by" in *"$here/.venv") return 0 ;; *) return 1 ;; esac
}

make_venv() {
    if [ -x .venv/bin/python ] && recent .venv/bin/python && at_home \
        && .venv/bin/python -m pip --version >/dev/null 2>&1; then
        return
    fi
    python=$(find_python) || exit 1
    ensure_venv_module "$python"
    say "making .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv "$here/.venv" || fail "$python -m venv .venv did not work"
}

# Runs a command quietly; when it fails, one line says what was tried and the last thing it said.
quietly() {
    what=$1
    shift
    log=$(mktemp)
    if "$@" >"$log" 2>&1 </dev/null; then
        rm -f "$log"
        return 0
    fi
    reason=$(grep -iE 'error|no matching|could not|failed' "$log" | tail -n 1)
    echo "setup: $what did not work: ${reason:-$(tail -n 1 "$log")}" >&2
    rm -f "$log"
    return 1
}

# uv comes first, by the version and the hashes of the lock itself.
install_uv() {
    wanted=$(sed -n 's/^uv==\([^ ;]*\).*/\1/p' requirements.lock)
    [ -n "$wanted" ] || fail "requirements.lock does not name uv"
    [ "$(.venv/bin/uv --version 2>/dev/null | cut -d' ' -f2)" = "$wanted" ] && return 0
    only_uv=$(mktemp)
    awk '/^[a-z0-9]/ {mine = /^uv==/} mine && !/# via/' requirements.lock >"$only_uv"
    quietly "fetching uv (is a package index reachable?)" \
        .venv/bin/python -m pip install --quiet --require-hashes --no-deps -r "$only_uv"
    outcome=$?
    rm -f "$only_uv"
    return $outcome
}

# pip is the second way in: it knows the mirrors of pip.conf, which uv does not read.
install_locked() {
    quietly "installing requirements.lock with uv" \
        .venv/bin/uv pip install --python .venv/bin/python --require-hashes -r requirements.lock && return 0
    say "trying once more with pip"
    quietly "installing requirements.lock with pip (is a package index reachable?)" \
        .venv/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements.lock
}

make_venv
say "installing what requirements.lock names"
install_uv || exit 1
install_locked || exit 1
quietly "installing leerbudget itself" \
    .venv/bin/uv pip install --python .venv/bin/python --no-deps --no-build-isolation --editable . || exit 1
say "ready: $(.venv/bin/python --version), leerbudget $(.venv/bin/python -c 'import importlib.metadata as m; print(m.version("leerbudget"))')"
