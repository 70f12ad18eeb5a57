# The production image: no embedded servers, no build tools, no root.
# Build elsewhere than from the public registry with --build-arg BASE=registry/python:3.12-slim
ARG BASE=python:3.12-slim

FROM ${BASE} AS build
WORKDIR /src
COPY requirements.lock pyproject.toml setup.cfg MANIFEST.in README.md ./
COPY citizen_cloud ./citizen_cloud
# Everything becomes a wheel here, so that the image below needs neither a compiler nor the index.
RUN python -m pip wheel --no-cache-dir --wheel-dir /wheels --constraint requirements.lock .

FROM ${BASE}
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CITIZEN_CLOUD_BIND=0.0.0.0:8000 \
    PROMETHEUS_MULTIPROC_DIR=/run/citizen-cloud
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin citizen-cloud \
    && install -d -o citizen-cloud -g citizen-cloud -m 0700 /run/citizen-cloud
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    python -m pip install --no-cache-dir --no-index --no-deps /wheels/*.whl
WORKDIR /run/citizen-cloud
USER 10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
CMD ["python", "-P", "-m", "gunicorn", "--config", "python:citizen_cloud.web.gunicorn_conf", "citizen_cloud.wsgi:application"]
