#!/bin/sh
# Makes sure that browser tests find a Chromium: one that is there, else Debian's by apt,
# where the shell without a window takes a third less of the processor than the whole browser.
set -eu
for name in ${FOLIO_CHROMIUM:-chromium-headless-shell chromium chromium-browser google-chrome}; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
[ -d "/Applications/Google Chrome.app" ] && exit 0
if [ -z "${FOLIO_NO_APT:-}" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing chromium with apt for the browser tests (FOLIO_NO_APT=1 skips this)."
    apt-get update -qq || true  # without a network the tests are skipped, not stopped
    for package in chromium-headless-shell chromium; do
        apt-get install -y -qq --no-install-recommends \
            "$package" fonts-dejavu-core >/dev/null 2>&1 && exit 0
    done
fi
echo "No Chromium or Chrome was found: the browser tests are skipped."
