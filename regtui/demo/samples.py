"""Small files of the sample images that a person might open, and the Dockerfiles that provenance carries."""

from __future__ import annotations

from typing import Final

CART_SERVER: Final = '''"""The cart's HTTP server (a sample; it is never run)."""

from flask import Flask, jsonify, request

from cart.prices import check_offer
from cart.stock import load_batch

app = Flask(__name__)
VERSION = "@VERSION@"


@app.get("/healthz")
def healthz():
    return jsonify(status="ok", version=VERSION)


@app.post("/cart/<cart_id>/lines")
def add_line(cart_id: str):
    line = request.get_json()
    if not check_offer(line["offer"]):
        return jsonify(error="offer has ended"), 409
    load_batch(cart_id).append(line)
    return jsonify(line), 201
'''

CART_CONFIG: Final = """# Defaults of the cart; the environment wins.
[server]
listen = "0.0.0.0:8080"
metrics = "0.0.0.0:9090"

[cart]
longest = 200
expires = "14d"
"""

CART_DOCKERFILE: Final = """# syntax=docker/dockerfile:1
FROM @BASE@
RUN apt-get update && apt-get install -y --no-install-recommends python3 curl ca-certificates \\
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
RUN --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    pip install --no-cache-dir -r requirements.txt
COPY --chown=10001:10001 src/ /app/
ARG VERSION
ENV APP_VERSION=$VERSION
USER 10001:10001
EXPOSE 8080/tcp 9090/tcp
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s CMD ["curl", "-fsS", "http://127.0.0.1:8080/healthz"]
ENTRYPOINT ["gunicorn", "--bind", "0.0.0.0:8080", "cart.server:app"]
"""

WEB_DOCKERFILE: Final = """# syntax=docker/dockerfile:1
FROM @BASE@
RUN apk add --no-cache nodejs
WORKDIR /srv/web
RUN --mount=type=bind,source=package.json,target=package.json \\
    --mount=type=bind,source=package-lock.json,target=package-lock.json \\
    npm ci --omit=dev
COPY dist/ /srv/web/
USER node
EXPOSE 3000/tcp
CMD ["node", "server.js"]
"""

PAGE: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>@PART@</title><script src="@PART@.js" defer></script></head>
<body><h1>@PART@</h1><p>Demo shop @VERSION@</p></body>
</html>
"""

NGINX: Final = """user nobody;
worker_processes auto;
pid /run/nginx.pid;

events { worker_connections 1024; }

http {
    sendfile on;
    server {
        listen 80;
        root /usr/share/nginx/html;
        location /healthz { return 200 "ok\\n"; }
    }
}
"""

POSTGRES_ENTRYPOINT: Final = """#!/bin/sh
set -eu
if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE"
fi
exec "$@"
"""

CHART_REGISTRY: Final = "registry.demo.example/charts"

CHART_FILES: Final = {
    "values.yaml": """# Values of the cart chart.
image:
  repository: registry.demo.example/shop/cart
  tag: ""
replicas: 2
service:
  port: 8080
resources:
  requests: {cpu: 100m, memory: 128Mi}
  limits: {memory: 256Mi}
postgres:
  enabled: true
""",
    "templates/_helpers.tpl": """{{- define "cart.name" -}}
{{ .Release.Name }}-cart
{{- end }}
""",
    "templates/deployment.yaml": """apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "cart.name" . }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app: {{ include "cart.name" . }}}
  template:
    metadata:
      labels: {app: {{ include "cart.name" . }}}
    spec:
      containers:
        - name: cart
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          ports: [{containerPort: {{ .Values.service.port }}}]
          livenessProbe:
            httpGet: {path: /healthz, port: {{ .Values.service.port }}}
""",
    "templates/service.yaml": """apiVersion: v1
kind: Service
metadata:
  name: {{ include "cart.name" . }}
spec:
  selector: {app: {{ include "cart.name" . }}}
  ports: [{port: {{ .Values.service.port }}}]
""",
    "templates/NOTES.txt": "The cart answers at port {{ .Values.service.port }}.\n",
    ".helmignore": "*.orig\n.git/\n",
}

ALERTS: Final = """groups:
  - name: cart
    rules:
      - alert: CartErrors
        expr: rate(http_requests_total{job="cart",code=~"5.."}[5m]) > 0.1
        for: 10m
        labels: {severity: page}
"""

TOPOLOGY: Final = """<svg xmlns="http://www.w3.org/2000/svg" width="240" height="60">
  <rect x="5" y="15" width="60" height="30" fill="none" stroke="black"/><text x="22" y="34">web</text>
  <rect x="95" y="15" width="60" height="30" fill="none" stroke="black"/><text x="112" y="34">cart</text>
  <path d="M65 30 H95" stroke="black"/>
</svg>
"""


def dockerfile(repository: str, base: str) -> str:
    """The Dockerfile of a service."""
    found = WEB_DOCKERFILE if repository == "shop/web" else CART_DOCKERFILE
    return found.replace("@BASE@", base)
