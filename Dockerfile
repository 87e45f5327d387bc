# The image of `kubehop pod collect`: kubehop and its locked packages, nothing else is installed.
#   docker build -t registry.example/kubehop:0.1.0 .
# At run time nothing is downloaded or written: a read-only root filesystem will do.

FROM docker.io/library/python:3.11-slim AS build
WORKDIR /src
COPY requirements/run.txt requirements/build.txt requirements/
# The environment that is kept has no pip: that of the other one fills it.
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements/build.txt \
 && python -m venv --without-pip /opt/kubehop \
 && /opt/build/bin/pip --python /opt/kubehop/bin/python install \
    --no-cache-dir --require-hashes --only-binary :all: -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /wheels . \
 && /opt/build/bin/pip --python /opt/kubehop/bin/python install --no-deps --no-index /wheels/*.whl \
 && /opt/kubehop/bin/kubehop --version

FROM docker.io/library/python:3.11-slim
COPY --from=build /opt/kubehop /opt/kubehop
ENV PATH=/opt/kubehop/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# Not another user: capabilities added to a container are effective for root only.
CMD ["kubehop", "pod", "collect", "--here", "-o", "json"]
