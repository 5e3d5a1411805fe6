#!/bin/sh
# Pins the newest versions that pyproject.toml allows, with hashes for every platform and no index or host:
# requirements.lock for development (every extra), requirements-image.lock for the container image.
set -eu
cd "$(dirname "$0")/.."

uv=$(command -v uv || echo "$PWD/.venv/bin/uv")
if ! [ -x "$uv" ]; then
    sh scripts/setup.sh
    echo "lock: installing uv into .venv"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check uv
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp pyproject.toml "$work"
pinned() { # the chosen extras; uv.lock itself names hosts, so it stays in the temporary folder
    "$uv" export --quiet --no-config --frozen --directory "$work" \
        --no-emit-project --no-header --no-annotate "$@"
}

echo "lock: resolving"
"$uv" lock --quiet --no-config --directory "$work"
pinned --all-extras >"$work/requirements.lock"
pinned --extra sandbox --extra build >"$work/requirements-image.lock"
mv "$work/requirements.lock" "$work/requirements-image.lock" .
echo "lock: $(grep -c == requirements.lock) packages, $(grep -c == requirements-image.lock) of them in the image"
