#!/bin/sh
# Makes sure that browser tests find a Chromium: one that is there, else Debian's by apt.
set -eu
for name in ${FOLIO_CHROMIUM:-chromium chromium-browser google-chrome google-chrome-stable}; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
[ -d "/Applications/Google Chrome.app" ] && exit 0
if [ -z "${FOLIO_NO_APT:-}" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing chromium with apt for the browser tests (FOLIO_NO_APT=1 skips this)."
    apt-get update -qq && apt-get install -y -qq --no-install-recommends \
        chromium fonts-dejavu-core >/dev/null && exit 0
fi
echo "No Chromium or Chrome was found: the browser tests are skipped."
