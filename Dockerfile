# Isogloss as a container. Two stages: the first has what building needs, the second only what a node needs.
# tests/project/replay_dockerfile.py runs these very lines in a clean Debian where no Docker engine is.

FROM debian:bookworm-slim AS build

RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /src

# The dependencies first: they change less often than the code, so their layer is used again.
COPY pyproject.toml constraints.txt ./
COPY scripts/requirements.py scripts/
RUN python3 -m venv /opt/isogloss \
 && python3 scripts/requirements.py postgresql speech webrtc > requirements.txt \
 && /opt/isogloss/bin/python -m pip install --no-cache-dir --constraint constraints.txt --requirement requirements.txt

COPY README.md LICENSE NOTICE ./
COPY isogloss isogloss
COPY config config
COPY engine engine
COPY media media
COPY routing routing
COPY sip sip
RUN PIP_CONSTRAINT=constraints.txt /opt/isogloss/bin/python -m pip install --no-cache-dir --no-deps .
# The helper in C that moves packets; the image itself has no compiler.
RUN /opt/isogloss/bin/python -c "import isogloss; isogloss.open_tree(); from media.io.native import main; \
    raise SystemExit(main())"


FROM debian:bookworm-slim

LABEL org.opencontainers.image.title="Isogloss" \
      org.opencontainers.image.description="A self-hosted, multilingual VoIP contact-centre engine" \
      org.opencontainers.image.licenses="Apache-2.0"

# espeak-ng speaks the prompts, here and wherever their words are changed, and interpretation; Apertium translates
# where no model is given; the libraries are Opus, AMR and AMR-WB.
RUN apt-get update \
 && apt-get install -y --no-install-recommends apertium apertium-eng-spa espeak-ng python3 \
    libopus0 libopencore-amrnb0 libopencore-amrwb0 libvo-amrwbenc0 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/isogloss --create-home isogloss

COPY --from=build /opt/isogloss /opt/isogloss
# The shipped configuration; mount your own folder over it.
COPY config/*.yaml /etc/isogloss/
COPY config/prompts /etc/isogloss/prompts

ENV PATH=/opt/isogloss/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1

# The journal, the records, the spoken prompts, and secrets that were generated.
RUN install -d -o isogloss -g isogloss -m 0750 /var/lib/isogloss
WORKDIR /var/lib/isogloss
USER isogloss
# A new volume begins with what lies here: the prompts are spoken once, and a first start takes a second.
RUN python -c "import isogloss; isogloss.open_tree(); from engine.prompts import main; \
    raise SystemExit(main(['build', '--config', '/etc/isogloss/prompts', '--to', '/var/lib/isogloss/prompts']))"
VOLUME /var/lib/isogloss

# SIP over UDP and TCP, SIP over TLS, the API, and RTP. Thousands of published ports are slow to set up and each
# costs a proxy process: run with --network host, as compose.yaml does.
EXPOSE 5060/udp 5060/tcp 5061/tcp 7443/tcp 8080/tcp 16384-32767/udp

HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/health', timeout=2)"]

# A stopping node lets its calls finish: give it time, with `docker stop --time 60`.
STOPSIGNAL SIGTERM
ENTRYPOINT ["isogloss"]
CMD ["serve", "--config", "/etc/isogloss", "--data", "/var/lib/isogloss"]
