#!/usr/bin/env bash
# Installs what a make target needs and this machine lacks: scripts/setup.sh run|demo|test|bench|soak|browser
# Debian packages come through apt (as root, or through sudo), Python packages into .venv at the pinned versions.
# Where apt may not be used, it prints the exact line to run and stops.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${1:?usage: scripts/setup.sh run|demo|test|bench|soak|browser}

# command:package, so that what is there already is never asked of apt
tools=(espeak-ng:espeak-ng apertium:apertium)
# library:package
libraries=(
    libopus.so.0:libopus0
    libopencore-amrnb.so.0:libopencore-amrnb0
    libopencore-amrwb.so.0:libopencore-amrwb0
    libvo-amrwbenc.so.0:libvo-amrwbenc0
)
# file:package, of what is neither
files=(/usr/share/apertium/modes/eng-spa.mode:apertium-eng-spa)
extras=()
headers=
case $target in
    run) extras=(console webrtc speech) ;;
    demo) extras=(console softphone webrtc speech) ;;
    test | bench | soak | browser)
        extras=(console softphone postgresql speech test webrtc)
        tools+=(git:git cc:gcc sipp:sip-tester baresip:baresip-core turnserver:coturn kamailio:kamailio)
        tools+=(redis-server:redis-server)
        kamailio='/usr/lib/*/kamailio/modules'
        files+=("$kamailio/tls.so:kamailio-tls-modules" "$kamailio/websocket.so:kamailio-websocket-modules")
        libraries+=(libspandsp.so.2:libspandsp2)
        headers=yes # pesq is compiled while it is installed
        [ $target != browser ] || { extras+=(browser) && tools+=(chromium:chromium node:nodejs npm:npm); }
        ;;
    *) echo "setup: unknown target '$target': run, demo, test, bench, soak or browser" >&2 && exit 2 ;;
esac

say() { printf 'set-up: %s\n' "$*"; }

newest_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            command -v "$name" && return
        fi
    done
    return 1
}

install_packages() {
    local install=(apt-get install -y --no-install-recommends "$@")
    local line="apt-get update && ${install[*]}"
    if ! command -v apt-get >/dev/null; then
        echo "set-up: this machine has no apt-get; install what these Debian packages hold: $*" >&2
        exit 1
    fi
    local as=()
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
            as=(sudo)
        else
            echo "set-up: missing Debian packages; run this as root, then try again:" >&2
            echo "    $line" >&2
            exit 1
        fi
    fi
    say "Debian packages: $*"
    as+=(env DEBIAN_FRONTEND=noninteractive)
    local log
    log=$(mktemp)
    if ! { "${as[@]}" apt-get -q update && "${as[@]}" "${install[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "set-up: apt failed; to see it again: $line" >&2
        exit 1
    fi
    rm -f "$log"
    case " $* " in *" kamailio "* | *" redis-server "*)
        say "these come with services that begin by themselves; where only tests need them:" \
            "systemctl disable --now kamailio redis-server" ;;
    esac
}

missing=()
for pair in "${tools[@]}"; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
for pair in ${files[@]+"${files[@]}"}; do
    compgen -G "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
case " ${missing[*]-} " in *" gcc "*) missing+=(libc6-dev) ;; esac

if python=$(newest_python); then
    named=$(basename "$(readlink -f "$python")")
    if [ ! -x .venv/bin/python ] && ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        missing+=("$named-venv")
    fi
    header='import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")'
    [ -z "$headers" ] || "$python" -c "$header" 2>/dev/null || missing+=("$named-dev")
else
    missing+=(python3 python3-venv ${headers:+python3-dev})
fi
for pair in ${libraries[@]+"${libraries[@]}"}; do
    load="import ctypes; ctypes.CDLL('${pair%%:*}')"
    { [ -n "$python" ] && "$python" -c "$load" 2>/dev/null; } || missing+=("${pair##*:}")
done
[ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
python=$(newest_python) || { echo "set-up: needs Python 3.11 or newer" >&2 && exit 1; }

if ! .venv/bin/python -c '' 2>/dev/null; then
    say "virtual environment .venv ($("$python" --version))"
    "$python" -m venv --clear .venv
fi

mapfile -t wanted < <(.venv/bin/python scripts/requirements.py ${extras[@]+"${extras[@]}"})
say "Python packages for '$target' (${#wanted[@]} named, pinned by constraints.txt)"
# Bytecode is made when a module is first imported; compiling all of scipy here would take as long as installing it.
.venv/bin/python -m pip install -qq --disable-pip-version-check --no-input --no-compile \
    --constraint constraints.txt "${wanted[@]}"
# Softphones of browsers that tests call with: seconds where npm is there already, and left out where it is not.
if [ "$target" = browser ] || { [ "$target" = test ] && command -v npm >/dev/null; }; then
    mapfile -t modules < <(sed "s/==/@/" tests/browser/npm.txt)
    say "npm packages in var/npm: ${modules[*]}"
    mkdir -p var/npm
    npm install --silent --prefix var/npm --no-save --no-package-lock --ignore-scripts "${modules[@]}" ||
        { [ "$target" = test ] && say "npm failed: tests of these packages are skipped"; }
fi
say "ready in $SECONDS s"
