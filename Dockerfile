# The dependencies change rarely and are built apart, so that a change of the code reuses their layer.
FROM python:3.13-slim AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements/prod.txt /tmp/requirements/
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --require-hashes --requirement /tmp/requirements/prod.txt

FROM python:3.13-slim
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ENVIRONMENT=production \
    HOST=0.0.0.0 \
    PORT=8000
WORKDIR /srv
COPY --from=dependencies /opt/venv /opt/venv
COPY alembic.ini gunicorn.conf.py ./
COPY migrations migrations
COPY app app
# Compiled now, because the user below may not write. The second line imports the service: that compiles what it needs of
# the standard library, which the base image brings without bytecode, and fails the build when it cannot start.
RUN python -m compileall -q app migrations \
    && ENVIRONMENT=development python -m gunicorn --check-config --config gunicorn.conf.py app.main:app \
    && rm -rf /tmp/* \
    && useradd --uid 10001 --user-group --no-create-home app
ENV PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health/live', timeout=2)"]
ENTRYPOINT ["python", "-m", "app"]
CMD ["serve"]
