#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A real CrowdSec LAPI as a feed: what cscli bans is dropped on the wire within
# a poll, what it deletes passes, and neither a LAPI that is gone nor one that
# comes back without its decisions opens the wire.
. "$(dirname "$0")/lib.sh"

if ! command -v crowdsec > /dev/null || ! command -v cscli > /dev/null; then
	skip "a real CrowdSec LAPI feeds moat" "crowdsec is not installed; Debian has the package 'crowdsec'"
	finish
fi

LAPI_PID='' LAPI_URL=http://127.0.0.1:8080
POLL=1 # seconds

cscli() { in_ns "$IN" cscli -c "$LAB/crowdsec/config.yaml" "$@"; }
# The LAPI answers whoever asks, if only that there is no such page.
lapi_answers() { in_ns "$IN" curl -s -o /dev/null --max-time 2 "$LAPI_URL/"; }
lapi_log() { cat "$LAB/crowdsec/log" 2> /dev/null; }

# A LAPI without agent and without the central service, all of it in the lab.
lapi_config() {
	local dir=$LAB/crowdsec
	mkdir -p "$dir"/{etc,data,hub,plugins,notifications}
	echo '{}' > "$dir/hub/.index.json"
	echo 'simulation: false' > "$dir/etc/simulation.yaml"
	cat > "$dir/etc/profiles.yaml" <<- END
		name: ban
		filters: [ 'Alert.Remediation == true && Alert.GetScope() == "Ip"' ]
		decisions: [ { type: ban, duration: 4h } ]
		on_success: break
	END
	: > "$dir/etc/lapi.yaml"
	cat > "$dir/config.yaml" <<- END
		common: { daemonize: false, log_media: stdout, log_level: info, working_dir: . }
		config_paths:
		  config_dir: $dir/etc/
		  data_dir: $dir/data/
		  simulation_path: $dir/etc/simulation.yaml
		  hub_dir: $dir/hub/
		  index_path: $dir/hub/.index.json
		  notification_dir: $dir/notifications/
		  plugin_dir: $dir/plugins/
		cscli: { output: raw }
		db_config: { log_level: info, type: sqlite, db_path: $dir/data/crowdsec.db, use_wal: true }
		plugin_config: { user: nobody, group: nogroup }
		api:
		  client: { insecure_skip_verify: false, credentials_path: $dir/etc/lapi.yaml }
		  server:
		    log_level: info
		    listen_uri: 127.0.0.1:8080
		    profiles_path: $dir/etc/profiles.yaml
		    console_path: $dir/etc/console.yaml
		prometheus: { enabled: false }
	END
	cscli machines add lab --password "lab-$$-password" --url "$LAPI_URL" -f "$dir/etc/lapi.yaml" > /dev/null 2>&1 ||
		fatal "the lab has a CrowdSec machine"
	cscli bouncers add moat -o raw 2> /dev/null | tr -d '[:space:]' > "$LAB/key"
	[ -s "$LAB/key" ] || fatal "the lab has a bouncer's key"
}

lapi_start() {
	in_ns_exec "$IN" crowdsec -c "$LAB/crowdsec/config.yaml" -no-cs -no-capi >> "$LAB/crowdsec/log" 2>&1 &
	LAPI_PID=$!
	wait_for "$DEADLINE" lapi_answers || fatal "the LAPI starts"
}

lapi_end() {
	kill -"$1" "$LAPI_PID"
	wait "$LAPI_PID" 2> /dev/null
}

decide() { cscli decisions add "$@" > /dev/null 2>&1 || fatal "cscli adds a decision: $*"; }
undecide() { cscli decisions delete "$@" > /dev/null 2>&1 || fatal "cscli deletes decisions: $*"; }

listed() { [ "$(sql "SELECT count(*) FROM listing WHERE feed = 'lapi' AND source = '$1' AND expires_at > unixepoch()")" = 1 ]; }
unlisted() { ! listed "$1"; }
feed() { moatctl -o json feeds | jq -r ".feeds[] | select(.name == \"lapi\") | $1"; }
feed_is() { [ "$(feed "$1")" = "$2" ]; }
asks() { lapi_log | grep -c "stream?startup=$1"; }
asked() { [ "$(asks "$1")" -gt "$2" ]; } # asked true|false SINCE
reports() { metric moat_feed_usage_reports_total 'feed="lapi"' "$@"; }
has_reported() { between 1 1000 "$(reports)"; }

lab_up
lapi_config
lapi_start
decide --ip 198.51.100.1 --duration 1h
config <<- END
	categories: { botnet: { action: drop }, suspect: { action: drop } }
	feeds:
	  - name: lapi
	    url: $LAPI_URL/
	    format: crowdsec
	    api_key_file: $LAB/key
	    categories: { ban: botnet, captcha: suspect, throttle: suspect }
	    every: ${POLL}s
	    usage_metrics: 10s
END
moat_start

# ---- bans come and go ----

check "what was banned before moatd started is listed" wait_for "$DEADLINE" listed 198.51.100.1
wait_synced
drops "and dropped" 198.51.100.1
check "all decisions are asked for once" equal 1 "$(asks true)"
wait_for "$DEADLINE" asked false 0
passes "who is not banned passes" 198.51.100.2
START=$(now_us)
decide --ip 198.51.100.2 --duration 1h
check "a ban by cscli is listed" wait_for "$DEADLINE" listed 198.51.100.2
wait_synced
MS=$((($(now_us) - START) / 1000))
drops "and dropped" 198.51.100.2
check "within a poll and what cscli takes ($MS ms)" between 0 $((POLL * 1000 + 2500)) "$MS"
check "with its origin and scenario" contains cscli "$(sql "SELECT reason FROM listing WHERE source = '198.51.100.2'")"
check "and with its own end" between 3500 3600 "$(sql "SELECT expires_at - unixepoch() FROM listing WHERE source = '198.51.100.2'")"
undecide --ip 198.51.100.2
check "a ban that cscli deletes ends" wait_for "$DEADLINE" unlisted 198.51.100.2
wait_synced
passes "and its source passes" 198.51.100.2
drops "the other one is dropped still" 198.51.100.1

decide --range 203.0.113.0/24 --duration 1h
decide --ip 203.0.113.7 --duration 2h
check "a range and an address in it are listed" wait_for "$DEADLINE" listed 203.0.113.7
wait_for "$DEADLINE" listed 203.0.113.0/24
undecide --id "$(sql "SELECT reference FROM listing WHERE source = '203.0.113.7'")" # by address cscli takes the range along
check "the address goes" wait_for "$DEADLINE" unlisted 203.0.113.7
wait_synced
drops "and is dropped still, for the range" 203.0.113.7
undecide --range 203.0.113.0/24
check "the range goes" wait_for "$DEADLINE" unlisted 203.0.113.0/24
wait_synced
passes "and the address passes" 203.0.113.7

decide --ip 198.51.100.3 --type captcha --duration 1h
decide --ip 198.51.100.3 --type throttle --duration 30m
check "decisions of other types are listed where they are mapped" wait_for "$DEADLINE" listed 198.51.100.3
FULL=$(asks false)
wait_for "$DEADLINE" asked false $((FULL + 1))
undecide --ip 198.51.100.3 --type captcha
ended() { [ "$(sql "SELECT expires_at - unixepoch() <= 1800 FROM listing WHERE source = '198.51.100.3'")" = 1 ]; }
check "when one of two decisions of a source goes the other one's end counts" wait_for "$DEADLINE" ended
wait_synced
drops "and the source is dropped still" 198.51.100.3

decide --ip 2001:db8:5::1 --duration 1h
check "an IPv6 address is listed" wait_for "$DEADLINE" listed 2001:db8:5::1
wait_synced
drops "and dropped" 2001:db8:5::1
decide --ip 198.51.100.4 --duration 4s
check "a short ban is listed" wait_for "$DEADLINE" listed 198.51.100.4
check "and ends by itself" wait_for "$DEADLINE" unlisted 198.51.100.4
passes "its source passes" 198.51.100.4
decide --scope Country --value ZZ --duration 1h
decide --scope Username --value root --duration 1h
FULL=$(asks false)
wait_for "$DEADLINE" asked false $((FULL + 1))
check "scopes that are no source are no trouble" feed_is .state ok

# ---- the LAPI is gone, and comes back ----

lapi_end KILL
check "a LAPI that is gone puts the feed in trouble" wait_for "$DEADLINE" feed_is .cause fetch
check "status says so" contains lapi "$(status '.degraded[].what')"
drops "what it banned is dropped still" 198.51.100.1
FULL=$(asks true)
lapi_start
check "when it is back all decisions are asked for" wait_for 60 asked true "$FULL"
check "and the feed is good again" wait_for "$DEADLINE" feed_is .state ok
drops "what it banned is dropped" 198.51.100.1

moat_end TERM
undecide --ip 198.51.100.1
decide --ip 198.51.100.5 --duration 1h
receive_start
send --count "$FRAMES" 198.51.100.1
receive_stop
check "while no moatd runs its bans are in force" equal 0 "$(received total)"
moat_start
check "after a restart what was deleted meanwhile ends" wait_for "$DEADLINE" unlisted 198.51.100.1
check "what was banned meanwhile is listed" wait_for "$DEADLINE" listed 198.51.100.5
wait_synced
passes "the first passes" 198.51.100.1
drops "the second is dropped" 198.51.100.5
drops "and what did not change" 198.51.100.3

# ---- a LAPI that lost its decisions ----

decide --ip 198.51.100.8 --duration 1h
check "one more is listed" wait_for "$DEADLINE" listed 198.51.100.8
lapi_end TERM
sqlite3 "$LAB/crowdsec/data/crowdsec.db" 'DELETE FROM decisions' || fatal "the LAPI loses its decisions"
wait_for "$DEADLINE" feed_is .cause fetch || fatal "moatd misses the LAPI"
FULL=$(asks true)
lapi_start
check "a LAPI without its decisions is asked for all twice" wait_for 60 asked true $((FULL + 1))
check "and that they stay is said" wait_for "$DEADLINE" grep -q "stay until their own ends" "$LAB/moatd.log"
drops "and nothing that it banned passes" 198.51.100.5
check "it is counted" equal 1 "$(metric moat_feed_refused_total 'feed="lapi"' 'cause="shrink"')"

# ---- told back ----

check "usage metrics are sent" wait_for "$DEADLINE" has_reported
if [ "$(in_ns "$IN" curl -s -o /dev/null -w '%{http_code}' -X POST -H "X-Api-Key: $(cat "$LAB/key")" -d '{}' "$LAPI_URL/v1/usage-metrics")" = 404 ]; then
	check "a LAPI without them (before 1.6.3) is said once by each of the two moatd" between 1 2 \
		"$(grep -c 'usage metrics are not taken' "$LAB/moatd.log")"
	check "and that is no trouble of the feed" feed_is .state ok
	skip "a real LAPI takes usage metrics" "this CrowdSec has none; tests/unit/test_daemon_crowdsec_lapi.c shows what is sent"
else
	check "and taken" between 1 1000 "$(reports 'result="ok"')"
fi
check "the LAPI knows what asks" contains moat "$(cscli bouncers list -o raw)"
lapi_end TERM
check_counted
finish
