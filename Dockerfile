# syntax=docker/dockerfile:1
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /srv/folio
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY requirements.txt ./
# torch first, from PyTorch's own CPU index: the default index brings gigabytes of CUDA.
RUN pip install "$(grep '^torch==' requirements.txt)" \
        --index-url https://download.pytorch.org/whl/cpu \
    && pip install -r requirements.txt
COPY . .
# Editable, so that the app finds app.py, .streamlit/ and sample_data/ beside its packages.
RUN pip install --no-deps -e . && python -m compileall -q rag ingest ui

FROM python:3.11.14-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    FOLIO_DATA_DIR=/data
# A new named volume takes over the owner of the folder that it covers.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin folio \
    && install -d -o folio -g folio -m 0750 /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/folio /srv/folio
WORKDIR /srv/folio
USER 10001:10001
VOLUME ["/data"]
EXPOSE 8501
# The image has no curl; Python is there anyway.
HEALTHCHECK --interval=15s --timeout=5s --start-period=90s --retries=4 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/readyz', timeout=4)"]
# All addresses of the container; who may reach them is decided by the published port.
CMD ["folio", "serve", "--host", "0.0.0.0", "--port", "8501"]
