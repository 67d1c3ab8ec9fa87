# The server. Build: `docker build -t openqi .`; `compose.yaml` starts it with PostgreSQL. Alone it keeps
# a SQLite database in /data: `docker run -v openqi:/data openqi migrate`, then without `migrate`.

FROM python:3.11-slim-bookworm AS builder
COPY requirements.lock .
# --only-binary: no package may run a build of its own, and the image needs no compiler.
RUN python -m venv /opt/openqi \
 && /opt/openqi/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
      --require-hashes --no-deps --only-binary :all: -r requirements.lock

FROM python:3.11-slim-bookworm
# A numeric user: an orchestrator can see that it is not root.
RUN groupadd --gid 10001 openqi \
 && useradd --uid 10001 --gid openqi --no-create-home --home-dir /data --shell /usr/sbin/nologin openqi \
 && install -d -o openqi -g openqi -m 0750 /data
COPY --from=builder /opt/openqi /opt/openqi
WORKDIR /srv/openqi
COPY alembic.ini LICENSE ./
COPY migrations ./migrations
COPY app ./app
RUN /opt/openqi/bin/python -m compileall -q app migrations
# /data takes the SQLite database, mail where no server takes it and, in development, the signing
# key; with PostgreSQL it stays empty. The program itself is not writable for the user that runs it.
ENV PATH=/opt/openqi/bin:$PATH \
    PYTHONPATH=/srv/openqi \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    OPENQI_DATABASE_URL=sqlite:////data/openqi.db \
    OPENQI_SIGNING_KEY_FILE=/data/openqi-signing-key.pem \
    OPENQI_MAIL_FOLDER=/data/openqi-mail
VOLUME /data
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('PORT', '8000') + '/health/live', timeout=2)"]
ENTRYPOINT ["python", "-m", "app"]
CMD ["serve", "--host", "0.0.0.0"]
