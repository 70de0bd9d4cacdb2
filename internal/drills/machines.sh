# Machines that run the Debian of debian.sh with systemd as their first process, each with
# a file system of its own in memory. They share a network that nothing else reaches.

need_machines() {
	if [ "$(id -u)" -ne 0 ] || ! command -v debootstrap >/dev/null || ! command -v systemd-nspawn >/dev/null; then
		echo "this needs root, debootstrap and systemd-container" >&2
		exit 1
	fi
}

# make_machines PACKAGES makes their Debian, with what apt needs to install the packages
# without a mirror, and their network.
make_machines() {
	make_debian systemd-sysv,dbus
	rm -f "$ROOT"/etc/apt/apt.conf.d/docker-* # these remove what apt has downloaded
	chroot "$ROOT" apt-get -qq update
	chroot "$ROOT" apt-get -qq install -y --download-only "$@" >/dev/null
	logs=$(mktemp -d)
	touch "$logs/network"
	unshare --net="$logs/network" ip link set lo up
	in_network ip link add machines type bridge
	in_network ip link set machines up
}

# in_network COMMAND runs one of this machine in their network.
in_network() { nsenter --net="$logs/network" "$@"; }

# leader NAME prints the id of the machine's first process.
leader() { pgrep -P "$(cat "$logs/$1.pid")"; }

# boot NAME ADDRESS starts a machine, and returns once it has booted.
boot() {
	(
		echo "$BASHPID" >"$logs/$1.pid"
		# systemd makes its control groups below that of this process.
		for tree in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
			if [ -e "$tree/cgroup.procs" ]; then
				mkdir -p "$tree/caregraph-drill-$1"
				echo 0 >"$tree/caregraph-drill-$1/cgroup.procs"
			fi
		done
		exec nsenter --net="$logs/network" systemd-nspawn --quiet --boot --directory="$ROOT" --volatile=overlay \
			--machine="$1" --register=no --keep-unit --network-bridge=machines --resolv-conf=off </dev/null >"$logs/$1.log" 2>&1
	) &
	until on "$1" root 'systemctl is-system-running --wait' >/dev/null 2>&1; do
		kill -0 $! 2>/dev/null || { cat "$logs/$1.log" >&2; return 1; }
		sleep 0.2
	done
	at "$1" ip address add "$2/24" dev host0
	at "$1" ip link set host0 up
}

# at NAME COMMAND runs one of this machine in the network of that machine.
at() { nsenter --target "$(leader "$1")" --net "${@:2}"; }

# on NAME USER COMMANDS runs them there, in a login shell of the user.
on() { nsenter --target "$(leader "$1")" --all runuser -l "$2" -c "$3"; }

# run NAME USER COMMANDS runs them there, leaves their output in $out, and counts a failure.
run() { on "$1" "$2" "set -e; $3" >"$out" 2>&1 || fail "$3: $(tail -n 15 "$out")"; }

# docs HEADING N prints the N-th shell commands of a section of docs/operations.md.
docs() { section docs/operations.md "$1" | awk -v n="$2" '/^```sh$/ { on = ++i == n; next } /^```$/ { on = 0 } on'; }

step() { case=$*; printf '%s  %s\n' "$(date +%T)" "$*"; }

# within SECONDS WHAT COMMAND repeats the command until it succeeds.
within() {
	local end=$((SECONDS + $1))
	until "${@:3}"; do
		if [ "$SECONDS" -gt "$end" ]; then fail "$2"; return; fi
		sleep 0.2
	done
}

# shut_down ends all machines. The kernel then removes their processes and mounts.
shut_down() {
	local pid
	for pid in "$logs"/*.pid; do kill "$(cat "$pid")" 2>/dev/null || true; done
	wait
	find /sys/fs/cgroup -depth -type d -path '*/caregraph-drill-*' -exec rmdir {} + 2>/dev/null || true
	umount "$logs/network"
	rm -rf "$logs"
}
