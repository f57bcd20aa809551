#!/bin/sh
# Refresh a study and tell a monitor of healthchecks.io, or of its kind, that it began and how it ended:
#   HEALTHCHECK_URL=https://hc-ping.com/... ./healthchecks.sh study.toml --quiet
# A monitor that cannot be reached changes nothing; the exit code is that of the refresh.
set -u
ping() {
    curl --fail --silent --max-time 20 --output /dev/null --data-binary @- "$HEALTHCHECK_URL/$1" || true
}
ping start < /dev/null
if said=$("${EVENTSTUDY:-eventstudy}" refresh "$@" 2>&1); then code=0; else code=$?; fi
printf '%s' "$said" | tail -c 10000 | ping "$code"
[ -z "$said" ] || printf '%s\n' "$said" >&2
exit "$code"
