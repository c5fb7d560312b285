# The production image: the wheel with its built web assets, in a virtual environment, run by an ordinary user.
# The build goes the same way as `make setup`, so what is tested is what is packed.

FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml requirements.lock package.json package-lock.json README.md LICENSE ./
COPY scripts ./scripts
COPY src ./src
RUN sh scripts/setup.sh \
 && .venv/bin/python scripts/build_assets.py \
 && .venv/bin/uv build --quiet --wheel --no-build-isolation --python .venv/bin/python --out-dir dist \
 && .venv/bin/uv venv --quiet --python python3.13 /opt/leerbudget \
 && .venv/bin/uv pip install --quiet --python /opt/leerbudget/bin/python --constraints requirements.lock dist/*.whl

FROM python:3.13-slim
LABEL org.opencontainers.image.title="leerbudget" \
      org.opencontainers.image.licenses="EUPL-1.2"
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin leerbudget
COPY --from=build /opt/leerbudget /opt/leerbudget
ENV PATH="/opt/leerbudget/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER leerbudget
EXPOSE 8000
ENTRYPOINT ["leerbudget"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
