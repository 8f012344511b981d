#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# packaging/package-debian, the older name of `rootlet build deb:`, as root, as a user
# with subordinate ids and as one without: the same bytes from each, each of its
# options, clear refusals, nothing left behind.
#   debian_test.sh ROOTLET [STUB] [APPRUN]
# Needs root (it makes two users) and a reachable package source.
# Exit status 0: all held; 77: not possible here.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rootlet=$(realpath "$1") built=$(dirname "$(realpath "$1")")
stub=${2:-$built/rootlet-stub} apprun=${3:-$built/rootlet-apprun}
skip() { echo "SKIP: $*"; exit 77; }

[ "$(id -u)" -eq 0 ] || skip "needs root, to make users"
for tool in apt-get setpriv unshare; do
  command -v "$tool" >/dev/null || skip "$tool is not installed"
done

with_ids=rootlet-with-ids without_ids=rootlet-no-ids
work=$(mktemp -d /var/tmp/debian-test.XXXXXX)
chmod 755 "$work"
clean_up() {
  userdel --remove "$with_ids" 2>/dev/null
  userdel --remove "$without_ids" 2>/dev/null
  rm -rf "$work"
}
trap clean_up EXIT
useradd --create-home "$with_ids" && useradd --create-home -K SUB_UID_COUNT=0 -K SUB_GID_COUNT=0 "$without_ids" ||
  skip "cannot make users"
grep -q "^$with_ids:" /etc/subuid || usermod --add-subuids 1000000-1065535 --add-subgids 1000000-1065535 "$with_ids"

# Where the users reach it, wherever the checkout lies.
mkdir "$work/packaging" "$work/empty"
cp "$here/../../packaging/package-debian" "$work/packaging"
install -m 755 "$rootlet" "$built/rootlet-tools" "$built/rootlet-examiner" "$stub" "$work"
if [ -f "$apprun" ]; then install -m 755 "$apprun" "$work"; fi
chmod -R go+rX "$work"

failures=0
promise() { printf '%s\n' "- $1"; }
fail() { printf '  FAILED: %s\n' "$1"; failures=$((failures + 1)); }
holds() { local what=$1; shift; "$@" || fail "$what"; }
tmp_of() { echo "$work/tmp-$1"; }
# package USER ARGUMENT...: runs package-debian as USER in a directory of its own.
package() {
  local account=$1
  shift
  mkdir -p "$(tmp_of "$account")" "$work/$account"
  chown "$account" "$(tmp_of "$account")" "$work/$account"
  (cd "$work/$account" && TMPDIR=$(tmp_of "$account") ROOTLET=$work/rootlet HOME=/nonexistent \
    setpriv --reuid "$account" --regid "$(id -g "$account")" --init-groups \
    "$work/packaging/package-debian" "$@" >"$work/$account.log" 2>&1 </dev/null)
}
nothing_left() { [ -z "$(ls -A "$(tmp_of "$1")")" ] || { find "$(tmp_of "$1")" -maxdepth 2; return 1; }; }
says() { grep -qF -- "$2" "$work/$1.log" || { sed 's/^/    /' "$work/$1.log" | tail -n 5; return 1; }; }
refuses() { # USER TEXT ARGUMENT...
  local account=$1 text=$2 status=0
  shift 2
  package "$account" "$@" || status=$?
  holds "$* ends with 125, not $status" [ "$status" -eq 125 ]
  holds "$*: says $text" says "$account" "$text"
  holds "$* leaves nothing" nothing_left "$account"
}

promise "root makes a file; its root tells nothing of the host"
if ! package root hmmer --keep-root "$work/root/kept"; then
  grep -q 'reach the package source' "$work/root.log" && skip "$(head -n 1 "$work/root.log")"
  fail "package-debian hmmer as root: $(tail -n 3 "$work/root.log")"
fi
for trace in etc/hostname etc/resolv.conf etc/apt/sources.list etc/apt/sources.list.d \
             etc/apt/apt.conf.d/99mmdebstrap var/lib/apt/extended_states var/log/dpkg.log; do
  holds "no /$trace in the root" [ ! -e "$work/root/kept/$trace" ]
done
holds "licences stay" [ -s "$work/root/kept/usr/share/doc/hmmer/copyright" ]
holds "root leaves nothing" nothing_left root

promise "users with and without subordinate ids make the same bytes as root, at another time"
for account in "$with_ids" "$without_ids"; do
  package "$account" hmmer || fail "as $account: $(tail -n 3 "$work/$account.log")"
  holds "same file as root's from $account" cmp "$work/root/hmmer.AppImage" "$work/$account/hmmer.AppImage"
  holds "$account leaves nothing" nothing_left "$account"
done

promise "a root that a user kept makes a file again"
package "$without_ids" hmmer --keep-root kept -o first.AppImage || fail "$(tail -n 3 "$work/$without_ids.log")"
package "$without_ids" hmmer --root kept --entry hmmsearch -o again.AppImage ||
  fail "$(tail -n 3 "$work/$without_ids.log")"
holds "it is there" [ -x "$work/$without_ids/again.AppImage" ]

promise "what cannot be had is named"
refuses root no-such-package-here no-such-package-here
refuses "$without_ids" hmmer=0.0 hmmer=0.0
refuses "$with_ids" 127.0.0.1 hmmer --mirror http://127.0.0.1:9/debian
refuses root 'which of its programs shall run' libc6-dev
refuses root 'not a Debian package' 'a;b'
refuses root 'a value is missing' hmmer --trim
refuses root 'none, docs or all' hmmer --trim=most
refuses root 'not installed in' hmmer --root "$work/empty"
holds "no file is made" [ ! -e "$work/root/libc6-dev.AppImage" ]

promise "without user namespaces a user is told why, and what to do"
# shellcheck disable=SC2016
(cd "$work/$without_ids" && setpriv --reuid "$without_ids" --regid "$(id -g "$without_ids")" --init-groups \
  unshare --user --map-current-user --keep-caps sh -c \
  'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"' - \
  env ROOTLET="$work/rootlet" "$work/packaging/package-debian" hmmer) >"$work/none.log" 2>&1
holds "ends with 125" [ $? -eq 125 ]
holds "names the knob" says none user.max_user_namespaces=0

promise "interrupted, it leaves nothing"
for account in root "$with_ids" "$without_ids"; do
  rm -f "$work/$account/cut.AppImage"
  set -m  # a process group of its own, for a Ctrl-C as a terminal sends it
  package "$account" hmmer -o cut.AppImage &
  set +m
  sleep 4
  kill -INT -- "-$!"
  wait $!
  sleep 1
  holds "$account: nothing in TMPDIR" nothing_left "$account"
  holds "$account: no file" [ ! -e "$work/$account/cut.AppImage" ]
done

[ "$failures" -eq 0 ] || { echo "$failures failed"; exit 1; }
echo "all held"
