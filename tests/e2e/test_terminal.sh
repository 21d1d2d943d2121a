#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# moatctl on a real terminal (tmux): top and its keys, colour, and completion
# in bash and zsh.
. "$(dirname "$0")/lib.sh"

# A terminal of the test's own, 80x24.
term() { TMUX_TMPDIR=$LAB tmux -L moat -f /dev/null "$@"; }
term_up() { term new-session -d -x 80 -y 24 -s t "$1"; }
keys() { term send-keys -t t "$@"; }
screen() { term capture-pane -p -J -t t; }
on_screen() { screen | grep -qE -- "$1"; }
shows() { # shows SENTENCE PATTERN
	if wait_for "$DEADLINE" on_screen "$2"; then ok "$1"; else not_ok "$1" "no '$2' in:" "$(screen)"; fi
}
not_on_screen() { ! on_screen "$1"; }
# ours ANSI: with colours as the terminal has them
coloured() { term capture-pane -e -p -t t | grep -q $'\033\[3[0-9]'; }

lab_up
trap 'term kill-server 2> /dev/null; lab_down' EXIT
for program in tmux zsh; do
	command -v "$program" > /dev/null || fatal "$program is there"
done
config <<- 'END'
	categories:
	  botnet:   { action: drop }
	  bothered: { action: drop }
	  research: { action: monitor }
	feeds: [ { name: tests-own, url: "file:///nonexistent", category: botnet } ]
END
moat_start
list 198.51.100.7 botnet
list 198.51.100.8 botnet
list 2001:db8:bad::/48 research

# ---- top ----

term_up "env -i PATH='$PATH' TERM=screen-256color LC_ALL=C.UTF-8 HOME='$LAB' bash --norc --noprofile"
keys "PS1='ready> '; clear" Enter
shows "a shell is there" '^ready>'
stream_start 198.51.100.7 2001:db8:bad::1 203.0.113.5 --rate 900
keys "$MOATCTL -s $SOCKET top" Enter
shows "top says first how moat is" '^moatd [0-9.]+: ok'
shows "top has the sources that send now, with their rate" '^198\.51\.100\.7 +[23][0-9][0-9] +[0-9,]+ +.*botnet'
shows "top has packets by verdict, a second" '^packets/s +drop [23][0-9][0-9] +pass [23][0-9][0-9]'
check "top has colour" coloured
keys b
shows "b: by prefix" '^2001:db8:bad::/48 .*1 source'
keys b
shows "b: by category" '^botnet .*drop [0-9,]+'
keys b
shows "b: by feed" '^test +[0-9,]+'
keys b / 2001 Enter
shows "/: only what holds the text" '^1-1 of 1 '
keys Escape
shows "Esc: all of it" '^1-2 of 2 '
keys h
shows "h: the keys" 'b +by source, prefix'
keys h p
shows "p: the screen is held" 'HELD'
term resize-window -t t -x 130 -y 12
shows "a wider terminal has more columns" 'SOURCE.*HITS +BYTES +LAST +CATEGORIES'
term resize-window -t t -x 80 -y 24
keys q
shows "q: the terminal is as before" '^ready>'
check "and shows nothing of top" not_on_screen '^packets/s'
keys "$MOATCTL -s $SOCKET top" Enter
shows "top runs again" '^packets/s'
kill -TERM "$(pgrep -f "^$MOATCTL -s $SOCKET top")"
wait_for "$DEADLINE" not_on_screen '^packets/s' || not_ok "SIGTERM ends top" "$(screen)"
keys "stty -a | grep -o ' echo '; echo 'typed' 'here'" Enter
shows "after SIGTERM the terminal takes lines" '^typed here'
shows "and echoes them" '^ *echo'
keys "clear; $MOATCTL -s $SOCKET top -n" Enter
shows "top -n prints once" '^SOURCE +HITS +BYTES +LAST +FIRST'
stream_stop
wait_for "$DEADLINE" counted
check "top in a pipe prints once, without colour" lacks $'\033' "$(moatctl top)"
check "top by prefix" contains 198.51.100.0/24 "$(moatctl top --by prefix)"
check "top by category has what the counters have" equal "$(packets 'category="botnet"')" \
	"$(moatctl -o json top --by category | jq '.categories[] | select(.category == "botnet").hits')"
check "top by feed" equal 2 "$(moatctl -o json top --by feed | jq '.feeds[0].sources')"

# ---- colour ----

keys "clear; $MOATCTL -s $SOCKET status" Enter
shows "status on a terminal" 'coverage +100.00'
check "has colour" coloured
keys "clear; NO_COLOR=1 $MOATCTL -s $SOCKET status; echo 'without' colour" Enter
shows "status with NO_COLOR" '^without colour'
check "has none" eval '! coloured'
check "a pipe has none" lacks $'\033' "$(moatctl status)"
check "unless it is asked for" contains $'\033' "$(moatctl --color always status)"

# ---- completion ----

"$MOATCTL" completion bash > "$LAB/moatctl.bash"
"$MOATCTL" completion zsh > "$LAB/_moatctl"
if command -v shellcheck > /dev/null; then
	check "the completion for bash is clean" shellcheck -S warning "$LAB/moatctl.bash"
fi
check "the completion for zsh is zsh" zsh -n "$LAB/_moatctl"

# completes SHELL SENTENCE TYPED PATTERN: after the tab key the line is as said
completes() {
	keys C-u
	keys clear Enter
	wait_for "$DEADLINE" eval '[ "$(screen | grep -c .)" -le 1 ]'
	keys -l "moatctl -s $SOCKET $3"
	keys Tab
	shows "$1: $2" "$4"
}
completions() {
	completes "$1" "a verb" "expl" "$SOCKET explain *$"
	completes "$1" "an option" "add 192.0.2.1 --cate" "--category"
	completes "$1" "a category of the running moatd" "add -c res" "-c research"
	completes "$1" "a feed of the running moatd" "list -f te" "-f tests-own"
	completes "$1" "an interface" "attach in" "attach in0"
	completes "$1" "a reason" "tail --reason within" "within_limit"
	completes "$1" "what feeds takes" "feeds rel" "feeds release"
	completes "$1" "what token takes" "token rev" "token revoke"
	completes "$1" "a file" "import $LAB/moat.y" "import $LAB/moat.yaml"
}

keys C-u
keys "PATH=$BUILD:\$PATH; source $LAB/moatctl.bash; clear" Enter
term resize-window -t t -x 200 -y 24
completions bash
keys C-u
keys "exec zsh -f" Enter
keys "PS1='ready> '; autoload -U compinit && compinit -D; source $LAB/_moatctl; echo loaded" Enter
shows "zsh takes the completion" '^loaded'
completions zsh

check_counted
finish
