# What the drills on a clean Debian share. They source it as root.

failures=0
fail() {
	echo "FAIL  $case: $*" >&2
	failures=$((failures + 1))
}
# expect WHAT PATTERN FILE and refuse WHAT PATTERN FILE look for a line.
expect() { grep -Eq -- "$2" "$3" || fail "$1: nothing like '$2' in: $(tail -n 15 "$3")"; }
refuse() { ! grep -E -- "$2" "$3" >&2 || fail "$1"; }

# blocks DOCUMENT prints the shell commands of a document, section DOCUMENT HEADING a part
# of it with what is below it.
blocks() { awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$1"; }
section() { awk -v want="$2" '/^##/ { on = $0 == want } on' "$1"; }

# in_namespace SCRIPT runs it again as the first process of namespaces of its own, whose
# end ends all mounts and processes below. Its directory is ROOT, or a new one in /var/tmp
# that is removed at the end.
in_namespace() {
	if [ -z "${ROOT:-}" ]; then
		ROOT=$(mktemp -d /var/tmp/caregraph-fresh.XXXXXX)
		trap 'rm -rf --one-file-system "$ROOT"' EXIT
		chmod 755 "$ROOT"
	fi
	IN_NAMESPACE=1 ROOT=$ROOT unshare --mount-proc --pid --fork --kill-child "$@"
}

# make_debian PACKAGES makes a Debian with these packages in $ROOT, and an ordinary user
# asha who may do everything with sudo. It has the network of this machine: mirrors, names
# and certificates.
make_debian() {
	[ -e "$ROOT/etc/debian_version" ] ||
		debootstrap --variant=minbase --include="ca-certificates,sudo${1:+,$1}" \
			"$(. /etc/os-release && echo "$VERSION_CODENAME")" "$ROOT" \
			"$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)" >/dev/null
	rm -rf "$ROOT"/etc/apt/sources.list* "$ROOT/etc/apt/apt.conf.d"
	cp -R /etc/apt/sources.list* /etc/apt/apt.conf.d "$ROOT/etc/apt"
	cp -n /usr/share/keyrings/* "$ROOT/usr/share/keyrings" 2>/dev/null || true
	cp -L /etc/resolv.conf /etc/hosts "$ROOT/etc"
	local bundle
	for bundle in "${SSL_CERT_FILE:-}" "${NODE_EXTRA_CA_CERTS:-}"; do
		if [ -f "$bundle" ]; then install -D -m 644 "$bundle" "$ROOT$bundle"; fi
	done
	chroot "$ROOT" sh -c 'id asha >/dev/null 2>&1 || useradd --create-home --shell /bin/bash asha
		echo "asha ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/asha'
}
