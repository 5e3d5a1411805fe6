#!/bin/sh
# Builds the image, starts server and database as a stranger would, rehearses one call through them, and removes all.
set -eu
cd "$(dirname "$0")/.."

if ! docker info >/dev/null 2>&1; then
    echo "compose-check skipped: no Docker engine answers here"
    exit 0
fi

compose() {
    docker compose --project-name "parley-check-$$" --file docker-compose.yml --file docker/compose.sandbox.yml "$@"
}
finish() {
    status=$?
    [ "$status" -eq 0 ] || compose logs --tail 100 || true
    compose down --volumes --remove-orphans || status=1
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

compose build
compose run --rm sandbox
echo "compose-check passed: one rehearsed call through the container"
