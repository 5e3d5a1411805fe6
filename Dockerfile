FROM python:3.13-slim AS build
WORKDIR /srv/parley
COPY requirements-image.lock ./
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python install --require-hashes -r requirements-image.lock
COPY pyproject.toml README.md LICENSE ./
COPY app app
RUN pip --python /opt/venv/bin/python install --no-deps --no-build-isolation -e . \
 && /opt/venv/bin/python -m compileall -q app

FROM python:3.13-slim
# The folders that a volume may cover belong to our user: a new volume takes its owner from them.
RUN groupadd --gid 10001 parley \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin parley \
 && install -d -m 700 -o 10001 -g 10001 /data /run/secrets /run/db-secrets
WORKDIR /srv/parley
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/parley/app app
COPY migrations migrations
COPY docker docker
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/data \
    HOST=0.0.0.0 \
    PORT=8000
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --start-interval=1s CMD ["python", "docker/healthcheck.py"]
CMD ["parley", "serve"]
