#!/bin/bash
# Whether the service in this container is ready: asks /readyz with what bash itself can do.
# SPDX-License-Identifier: Apache-2.0
set -u
port=${CONSENTD_LISTEN:-127.0.0.1:8080}
port=${port%%,*}
port=${port##*:}
exec 3<>"/dev/tcp/127.0.0.1/$port" || exit 1
printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
IFS=' ' read -r -t 4 -u 3 version status rest || exit 1
[ "$version" = HTTP/1.1 ] && [ "$status" = 200 ]
