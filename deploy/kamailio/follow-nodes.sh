#!/bin/sh
# Keeps a front's list of nodes as the DNS has it, for where nodes come and go: Kubernetes' headless Services.
# Runs beside Kamailio, with its control socket and the list's folder shared.
#   follow-nodes.sh LIST SOCKET SET=NAME...    e.g. /etc/kamailio/list/dispatcher.list unix:/run/kamailio/ctl 1=nodes
# Nodes are called over TLS; with SIP_AT=5060 over UDP, on a network that is yours alone. With ONCE=1 it waits for the
# first list and ends, before Kamailio begins. A name that does not resolve just now leaves the list as it is: losing the
# DNS must not lose the nodes.
set -eu
list=$1 socket=$2
shift 2
at=${SIP_AT:-5061;transport=tls} every=${EVERY_S:-2} once=${ONCE:-}

found() {
    for pair; do
        addresses=$(getent ahostsv4 "${pair#*=}" | awk '{print $1}' | sort -u)
        [ -n "$addresses" ] || [ "${pair%%=*}" != 1 ] || return 1
        for address in $addresses; do
            echo "${pair%%=*} sip:$address:$at 0 0 weight=50"
        done
    done
}

while :; do
    if now=$(found "$@") && [ "$now" != "$(cat "$list" 2>/dev/null)" ]; then
        printf '%s\n' "$now" >"$list.new"
        mv "$list.new" "$list"
        [ -n "$once" ] || kamcmd -s "$socket" dispatcher.reload || echo "follow-nodes: Kamailio does not answer at $socket" >&2
        echo "follow-nodes: $(wc -l <"$list") nodes" >&2
    fi
    [ -z "$once" ] || [ ! -s "$list" ] || break
    sleep "$every"
done
