#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Who may ask over TCP, from this host and from another: tokens, TLS, client certificates.
. "$(dirname "$0")/lib.sh"

readonly HERE=10.99.1.1 # of moatd towards the other host, on a wire of its own
# shellcheck disable=SC2034 # read by the lab
LISTEN=0.0.0.0:9911

# tcp METHOD PATH [curl options]: the status over TCP; from: in $FROM (this host).
tcp() {
	in_ns "${FROM:-$IN}" curl -sS --max-time 10 -o "$LAB/answer" -w '%{http_code}' -X "$1" "${@:3}" "${BASE:-http://127.0.0.1:9911}$2"
}
bearer() { printf 'Authorization: Bearer %s' "$1"; }
token() { moatctl token new "$@" 2> "$LAB/token.err"; }
degraded() { status '[.degraded[].what] | join(" ")'; }

certificate() { # certificate NAME CN SIGNER
	openssl ecparam -name prime256v1 -genkey -noout -out "$LAB/$1.key" &&
		openssl req -new -key "$LAB/$1.key" -subj "/O=Example/CN=$2" -out "$LAB/$1.csr" &&
		openssl x509 -req -in "$LAB/$1.csr" -CA "$LAB/$3.crt" -CAkey "$LAB/$3.key" -CAcreateserial -days "${DAYS:-90}" \
			-extfile <(echo "subjectAltName=IP:$HERE,IP:127.0.0.1") -out "$LAB/$1.crt"
} 2> /dev/null
authority() { # authority NAME
	openssl ecparam -name prime256v1 -genkey -noout -out "$LAB/$1.key" &&
		openssl req -x509 -new -key "$LAB/$1.key" -subj "/CN=$1" -days 90 -out "$LAB/$1.crt"
} 2> /dev/null

# moatd may read it, and others may not.
closed() { chgrp "${MOAT_USER:-root}" "$@" && chmod 640 "$@"; }

lab_up
TOKENS=$LAB/tokens
ip link add adm0 netns "$OUT" type veth peer name adm0 netns "$IN"
in_ns "$IN" sh -c "ip addr add $HERE/24 dev adm0 && ip link set adm0 up"
in_ns "$OUT" sh -c "ip addr add 10.99.1.2/24 dev adm0 && ip link set adm0 up"
config <<- END
	categories: { botnet: { action: drop }, spam: { action: drop } }
	tokens: $TOKENS
END
moat_start

# ---- plain HTTP ----

ALL=$(token all --verbs '*')
check "a new token is in force when moatctl ends" contains "in force" "$(cat "$LAB/token.err")"
SPAM=$(token spam-desk --verbs write -c spam -f manual)
check "the file is closed to others" equal 0 "$(($(stat -c %a "$TOKENS") % 10))"
check "a change with a token is taken" equal 200 "$(tcp POST /api/v1/listings -H "$(bearer "$ALL")" \
	-d '{"source":"198.51.100.7","category":"botnet"}')"
drops "and is in force" 198.51.100.7
check "audit has the name of the token and the address" contains '"actor":"token:all","origin":"127.0.0.1"' \
	"$(api GET /api/v1/audit | jq -c '.audit[] | { actor, origin }' | tr '\n' ' ')"
check "a token of another category ends nothing" equal 403 "$(tcp DELETE \
	'/api/v1/listings?source=198.51.100.7&category=botnet&feed=manual' -H "$(bearer "$SPAM")")"
drops "it is still dropped" 198.51.100.7
check "a token in the URL is none" equal 401 "$(tcp POST "/api/v1/pause?token=$ALL")"
check "a token in a cookie is none" equal 401 "$(tcp POST /api/v1/pause -H "Cookie: token=$ALL")"

FROM=$OUT BASE=http://$HERE:9911
check "another host reads metrics" equal 200 "$(tcp GET /metrics)"
check "but no listings" equal 401 "$(tcp GET /api/v1/listings)"
check "and no token is taken from it in the clear" equal 401 "$(tcp GET /api/v1/listings -H "$(bearer "$ALL")")"
check "status says so" contains listen "$(degraded)"
FROM='' BASE=''

check "revoking says that it is in force" contains "in force" "$(moatctl token revoke spam-desk 2>&1)"
check "and it is" equal 401 "$(tcp POST /api/v1/listings -H "$(bearer "$SPAM")" -d '[]')"
chmod 644 "$TOKENS"
open_to_all() { degraded | grep -q tokens; }
wait_for "$DEADLINE" open_to_all
check "a file that others may read gives nobody rights" equal 401 "$(tcp GET /api/v1/status -H "$(bearer "$ALL")")"
check "status says what to do" contains 'chmod o=' "$(status '[.degraded[].why] | join(" ")')"
closed "$TOKENS"
taken() { [ "$(tcp GET /api/v1/status -H "$(bearer "$ALL")")" = 200 ]; }
check "closed again it counts by itself" wait_for "$DEADLINE" taken

# ---- TLS ----

authority ca && certificate server moat ca && authority clients && certificate grafana grafana clients &&
	authority strangers && certificate stranger grafana strangers || fatal "the lab has certificates"
echo "grafana verbs=read subject=CN=grafana,O=Example" >> "$TOKENS"
config <<- END
	categories: { botnet: { action: drop }, spam: { action: drop } }
	tokens: $TOKENS
	tls: { certificate: $LAB/server.crt, key: $LAB/server.key, client_ca: $LAB/clients.crt }
END
chmod 644 "$LAB/server.key"
kill -HUP "$MOATD_PID"
tls_wrong() { degraded | grep -q tls; }
check "a key that others may read is refused" wait_for "$DEADLINE" tls_wrong
closed "$LAB/server.key"
BASE=https://127.0.0.1:9911
secure() { [ "$(tcp GET /healthz --cacert "$LAB/ca.crt")" = 200 ]; }
check "closed it is taken by itself, without a restart" wait_for "$DEADLINE" secure

FROM=$OUT BASE=https://$HERE:9911
check "status has nothing to say of it" lacks listen "$(degraded)"
check "another host reads with a token" equal 200 "$(tcp GET /api/v1/listings --cacert "$LAB/ca.crt" -H "$(bearer "$ALL")")"
check "not without" equal 401 "$(tcp GET /api/v1/listings --cacert "$LAB/ca.crt")"
check "it reads with a client certificate that the file maps" equal 200 \
	"$(tcp GET /api/v1/whoami --cacert "$LAB/ca.crt" --cert "$LAB/grafana.crt" --key "$LAB/grafana.key")"
check "who is certificate:grafana" equal certificate:grafana "$(jq -r .actor "$LAB/answer")"
check "and may no more than that" equal 403 \
	"$(tcp POST /api/v1/pause --cacert "$LAB/ca.crt" --cert "$LAB/grafana.crt" --key "$LAB/grafana.key")"
check "the same name by another authority is nobody" equal 401 \
	"$(tcp GET /api/v1/whoami --cacert "$LAB/ca.crt" --cert "$LAB/stranger.crt" --key "$LAB/stranger.key")"
echo "desk verbs=read,write subject=CN=desk,O=Example" >> "$TOKENS"
certificate desk desk clients
by_desk() { # by_desk [curl options]: a change by a certificate that may
	tcp POST /api/v1/listings --cacert "$LAB/ca.crt" --cert "$LAB/desk.crt" --key "$LAB/desk.key" "$@" \
		-d '{"source":"198.51.100.8","category":"botnet"}'
}
desk_may() { [ "$(by_desk)" = 200 ]; }
check "one that may write writes" wait_for "$DEADLINE" desk_may
check "also from a page of this server" equal 200 "$(by_desk -H "Origin: $BASE")"
check "not from a page of another site, which the browser shows it for, too" equal 403 \
	"$(by_desk -H 'Origin: https://moat.example')"
check "nor from one that hides whose it is" equal 403 "$(by_desk -H 'Origin: null')"
check "TLS 1.1 is not spoken" lacks 'Protocol  : TLSv1.1' "$(in_ns "$OUT" openssl s_client -connect "$HERE:9911" \
	-tls1_1 -cipher 'ALL:@SECLEVEL=0' < /dev/null 2>&1 | grep -A1 Cipher)"
check "TLS 1.2 is" equal 200 "$(tcp GET /healthz --cacert "$LAB/ca.crt" --tls-max 1.2)"
check "plain HTTP gets nothing there" equal 000 "$(BASE=http://$HERE:9911 tcp GET /healthz 2> /dev/null)"

# A connection that is open goes on while the certificate is replaced.
serial() { in_ns "$OUT" openssl s_client -connect "$HERE:9911" < /dev/null 2> /dev/null | openssl x509 -noout -serial; }
coproc HELD { in_ns_exec "$OUT" openssl s_client -quiet -connect "$HERE:9911" 2> /dev/null; }
ask_held() {
	local line
	printf 'GET /healthz HTTP/1.1\r\nHost: moat\r\n\r\n' >&"${HELD[1]}"
	while read -rt 5 line <&"${HELD[0]}"; do [ "$line" = ok ] && return 0; done
	return 1
}
check "a connection is held" ask_held
before=$(serial)
DAYS=5 certificate next moat ca && cat "$LAB/next.key" > "$LAB/server.key"
check "a key that does not go with its certificate changes nothing" wait_for "$DEADLINE" tls_wrong
check "and new connections get the one before" equal "$before" "$(serial)"
cp "$LAB/next.crt" "$LAB/server.crt"
renewed() { [ "$(serial)" != "$before" ]; }
check "a new certificate is taken by itself" wait_for "$DEADLINE" renewed
check "the connection that was open goes on" ask_held
check "a certificate that ends in 5 days is in status" contains 'ends in' "$(status '[.degraded[].why] | join(" ")')"
kill "$HELD_PID" 2> /dev/null

# Streams sleep; a server that has retired may not be freed while one does.
STREAMS=()
stream_open() { # one more, by the certificate in force
	in_ns_exec "$OUT" curl -sN --cacert "$LAB/ca.crt" -H "$(bearer "$ALL")" "$BASE/api/v1/events" > "$LAB/stream" 2>&1 &
	STREAMS+=($!)
	wait_for "$DEADLINE" test -s "$LAB/stream"
}
oldest_ended() { ! kill -0 "${STREAMS[0]}"; }
opener=$MOATD_PID
for _ in 1 2 3 4 5 6; do
	stream_open
	before=$(serial)
	certificate next moat ca && cat "$LAB/next.key" > "$LAB/server.key" && cat "$LAB/next.crt" > "$LAB/server.crt"
	kill -HUP "$MOATD_PID"
	wait_for "$DEADLINE" renewed || break
done
check "six certificates with a stream each: the newest is in force" renewed
check "the oldest stream has ended" wait_for "$DEADLINE" oldest_ended
check "the newest goes on" kill -0 "${STREAMS[-1]}"
check "and so does moatd" kill -0 "$opener"

check "no secret is in the log" lacks moat_ "$(cat "$LAB/moatd.log")"
check "nor in what moatd shows" lacks "${ALL#moat_}" "$(api GET /api/v1/tokens; api GET /api/v1/audit; metrics)"
check_counted
finish
