#!/bin/sh
# Sees to it that the browser tests have a Chromium. On Debian as root it is installed; elsewhere it is only looked for.
# It never fails: without a browser those tests are skipped, and say so.
set -u

[ -n "${CHROMIUM:-}" ] && exit 0 # the tests use that one
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "tests: installing Chromium through apt for the browser tests"
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    if { apt-get update && apt-get install --yes --no-install-recommends chromium; } >"$log" 2>&1 </dev/null; then
        rm -f "$log"
        exit 0
    fi
    echo "tests: apt could not install Chromium: $(grep -E '^(E|W|Err)' "$log" | tail -n 1)" >&2
    rm -f "$log"
fi
echo "tests: there is no Chromium here; the browser tests will be skipped" >&2
exit 0
