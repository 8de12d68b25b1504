# Scrim is tested with OpenCV 4.6 and FFmpeg 5.1 of Debian 12.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY .ci/deps .ci/deps
RUN .ci/deps build
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown
RUN make build DEPS=build VERSION="$VERSION"

FROM debian:bookworm-slim
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
      ca-certificates \
      libopencv-calib3d406 libopencv-core406 libopencv-dnn406 libopencv-features2d406 libopencv-highgui406 \
      libopencv-imgcodecs406 libopencv-imgproc406 libopencv-objdetect406 libopencv-photo406 libopencv-video406 \
      libopencv-videoio406 \
      libavcodec59 libavdevice59 libavfilter8 libavformat59 libavutil57 libswresample4 libswscale6 libx264-164 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --create-home --home-dir /var/lib/scrim --shell /usr/sbin/nologin scrim
COPY --from=build /src/bin/ /usr/local/bin/
USER scrim
WORKDIR /var/lib/scrim
# The default detector is built in. `scrim models pull` stores others here.
ENV SCRIM_MODELS=/var/lib/scrim/models MALLOC_ARENA_MAX=2
VOLUME /var/lib/scrim
EXPOSE 8080/tcp 8189/udp
ENTRYPOINT ["scrim"]
CMD ["serve", "/etc/scrim/scrim.yaml"]
