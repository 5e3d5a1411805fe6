#!/bin/sh
# Makes .venv and installs what requirements.lock pins; does nothing when that is done already.
# PYTHON=… picks the interpreter. The stamp is written last, so an interrupted run is redone.
set -eu
cd "$(dirname "$0")/.."

stamp=.venv/.installed
wanted=$(cksum requirements.lock pyproject.toml)
enough='import sys; sys.exit(sys.version_info < (3, 11))'

say() { printf 'set-up: %s\n' "$*"; }
fail() { printf 'set-up: %s\n' "$@" >&2; exit 1; }
have_uv() { command -v uv >/dev/null 2>&1; }

venv_usable() { # of a fitting Python, and made for this folder: an environment does not survive a move
    .venv/bin/python -c "$enough" 2>/dev/null && grep -qsF "$(pwd -P)/.venv" .venv/bin/activate
}

find_python() {
    without_venv=
    for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        "$python" -c "$enough" 2>/dev/null || continue
        "$python" -c 'import ensurepip, venv' 2>/dev/null && return
        without_venv=$python
    done
    if [ "$without_venv" ]; then
        version=$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        fail "$without_venv cannot make virtual environments: its venv or ensurepip module is missing." \
            "On Debian and Ubuntu: sudo apt install python$version-venv"
    fi
    fail "Parley needs Python 3.11 or newer; none of these is: ${PYTHON:-python3, python3.14 … python3.11}." \
        "Debian 12+, Ubuntu 24.04+: sudo apt install python3 python3-venv · Fedora: sudo dnf install python3" \
        "macOS: brew install python · anywhere: install uv, which brings a Python of its own" \
        "One that is not on PATH: make PYTHON=/path/to/python3 …"
}

make_venv() {
    rm -rf .venv
    if have_uv; then
        say "making .venv with uv"
        uv venv --quiet --seed --no-project --python "${PYTHON:->=3.11}" .venv
    else
        find_python
        say "making .venv with $("$python" --version)"
        "$python" -m venv .venv
    fi
}

count_packages() { # pip's chatter as one line of progress; its last lines if it fails
    awk -v total="$(grep -c '^[a-z0-9].*==' requirements.lock)" -v tty="$([ -t 1 ] && echo 1 || echo 0)" '
        { tail[NR % 12] = $0 }
        /^ *Collecting / { n++
            if (tty) printf "\rset-up: %3d of %d packages  %-40.40s", n, total, $2
            else if (n % 25 == 0) printf "set-up: %d of %d packages\n", n, total
            fflush() }
        /^Installing collected/ { printf "%sset-up: writing them into .venv\n", (tty ? "\n" : ""); fflush() }
        /^WARNING: Retrying/ { printf "%sset-up: the package index does not answer, trying again\n", (tty ? "\n" : "")
            fflush() }
        $0 == "pip failed" { failed = 1 }
        END { if (failed) { print ""; for (i = NR - 11; i < NR; i++) if (i > 0) print tail[i % 12]; exit 1 } }'
}

install() {
    if have_uv; then
        uv pip install --python .venv/bin/python --require-hashes -r requirements.lock &&
            uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
    else
        pip=".venv/bin/python -m pip --disable-pip-version-check --no-input"
        { $pip install --require-hashes -r requirements.lock 2>&1 || echo "pip failed"; } | count_packages &&
            $pip install --quiet --no-deps --no-build-isolation -e .
    fi
}

if venv_usable; then
    [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || exit 0
    have_uv || .venv/bin/python -c 'import pip' 2>/dev/null || make_venv
else
    make_venv
fi
say "installing the packages of requirements.lock (the first time takes a minute or two)"
rm -f "$stamp"
install || fail "not finished: see the lines above, then run the same command again"
printf '%s\n' "$wanted" >"$stamp"
say "done"
