#!/bin/bash
# SPDX-License-Identifier: MIT
# `rootlet build` as its user meets it: a plain user, real files, real signals.
#   build_test.sh ROOTLET STUB APPRUN
# Run by root it builds as an unprivileged user; a test that this host cannot
# do is skipped with its reason. Exit status 0: all held; 77: nothing to test with.
set -u

rootlet=$(realpath "$1") stub=$(realpath "$2") apprun=$(realpath -m "$3")
for tool in unsquashfs python3 setpriv; do
  command -v "$tool" >/dev/null || { echo "SKIP: $tool is not installed"; exit 77; }
done

work=$(mktemp -d)
trap 'chmod -R u+rwX "$work"; rm -rf "$work"' EXIT
chmod 755 "$work"
failures=0

as_user() { (become_user "$@"); }
become_user() { # the calling (sub)shell becomes the command, pid and all
  if [ "$(id -u)" = 0 ]; then
    exec setpriv --reuid 54321 --regid 54321 --clear-groups -- "$@"
  else
    exec "$@"
  fi
}
# The user must reach the programs wherever the checkout lies.
install -m 755 "$rootlet" "$work/rootlet"
install -m 755 "$(dirname "$rootlet")/rootlet-tools" "$work/rootlet-tools"
install -m 755 "$(dirname "$rootlet")/rootlet-examiner" "$work/rootlet-examiner"
install -m 755 "$stub" "$work/rootlet-stub"
[ -f "$apprun" ] && install -m 755 "$apprun" "$work/rootlet-apprun"
rootlet=$work/rootlet offset=$(stat -c %s "$stub")

promise() { printf '%s\n' "- $1"; }
fail() { printf '  FAILED: %s\n' "$1"; failures=$((failures + 1)); }
holds() { # WHAT COMMAND...
  local what=$1
  shift
  "$@" || fail "$what"
}
# A directory that the user may write to, empty.
fresh() {
  rm -rf "$work/$1"
  mkdir -m 777 "$work/$1"
}
is_empty() { [ -z "$(ls -A "$1")" ]; }

static_program() { # a program that needs nothing: the stub itself
  mkdir -p "$(dirname "$1")"
  cp "$stub" "$1"
  chmod 755 "$1"
}

promise "two builds of one tree give the same bytes: other times, TMPDIR, threads, directory order"
fresh a; fresh b; fresh out; fresh tmp1; fresh tmp2
static_program "$work/a/bin/tool"
for i in $(seq 1 300); do echo "$i" >"$work/a/file$i"; done
mkdir -p "$work/b/bin"
for i in $(seq 300 -1 1); do echo "$i" >"$work/b/file$i"; done
static_program "$work/b/bin/tool"
(cd "$work/a" && find . -exec touch -h -d @1500000000 {} +)
(cd "$work/b" && find . -exec touch -h -d @1500000000 {} +)
as_user env TMPDIR="$work/tmp1" "$rootlet" build "$work/a" --entry tool -q -o "$work/out/1" --threads 1
sleep 1.1
as_user env TMPDIR="$work/tmp2" "$rootlet" build "$work/b" --entry tool -q -o "$work/out/2" --threads 3
holds "the files differ" cmp "$work/out/1" "$work/out/2"

promise "SOURCE_DATE_EPOCH is the image's time, and no file is later"
as_user env SOURCE_DATE_EPOCH=1400000000 "$rootlet" build "$work/a" --entry tool -q -o "$work/out/3"
times=$(TZ=UTC unsquashfs -o "$offset" -lln "$work/out/3" | grep -oE '20[0-9]{2}-[0-9-]{5} [0-9:]{5}' | sort -u)
holds "times are: $times" [ "$times" = "2014-05-13 16:53" ]
holds "image time" [ "$("$rootlet" inspect --json "$work/out/3" | python3 -c 'import json,sys; print(json.load(sys.stdin)["image"]["time"])')" = 1400000000 ]

promise "a tar as docker export writes it is packed by a plain user with all that is in it"
cat >"$work/make_tar.py" <<'EOF'
import io, sys, tarfile
program = open(sys.argv[2], "rb").read()
tar = tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT, errors="surrogateescape")
def add(name, type=tarfile.REGTYPE, data=b"", mode=0o644, uid=0, gid=0, link="", dev=(0, 0)):
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.uid, info.gid, info.linkname = type, mode, uid, gid, link
    info.devmajor, info.devminor = dev
    info.mtime, info.size = 1000000000, len(data)
    tar.addfile(info, io.BytesIO(data))
add("bin/tool", data=program, mode=0o755)
add("bin/hard", tarfile.LNKTYPE, link="bin/tool")
add("bin/su", data=b"s", mode=0o4755, gid=42)
add("dev/null", tarfile.CHRTYPE, mode=0o666, dev=(1, 3))
add("dev/sda", tarfile.BLKTYPE, mode=0o660, gid=6, dev=(8, 0))
add("fifo", tarfile.FIFOTYPE, mode=0o600, uid=1000)
add("out", tarfile.SYMTYPE, link="../../../etc/shadow")
for name in (b"new\nline", b"two words", b"back\\slash", b"quo\"te'", b"\xff\xfe", "ü".encode()):
    add("odd/" + name.decode("utf-8", "surrogateescape"), data=name)
tar.close()
EOF
python3 "$work/make_tar.py" "$work/x.tar" "$stub"
as_user "$rootlet" build "$work/x.tar" --entry tool -q -o "$work/out/tar" || fail "the build"
list=$(unsquashfs -o "$offset" -lln "$work/out/tar")
for line in '^-rwsr-xr-x 0/42 .* squashfs-root/bin/su$' \
  '^crw-rw-rw- 0/0 *1, *3 .*/dev/null$' '^brw-rw---- 0/6 *8, *0 .*/dev/sda$' \
  '^prw------- 1000/0 .*/fifo$' 'squashfs-root/out -> ../../../etc/shadow$'; do
  holds "no line like $line" grep -q -- "$line" <<<"$list"
done
unsquashfs -q -n -no-progress -o "$offset" -d "$work/out/root" "$work/out/tar" bin odd >/dev/null 2>&1
holds "the hard link" [ "$work/out/root/bin/tool" -ef "$work/out/root/bin/hard" ]
holds "the odd names" python3 - "$work/out/root/odd" <<'EOF'
import os, sys
root = os.fsencode(sys.argv[1])
names = [b"new\nline", b"two words", b"back\\slash", b"quo\"te'", b"\xff\xfe", "ü".encode()]
sys.exit(sorted(os.listdir(root)) != sorted(names)
         or any(open(root + b"/" + n, "rb").read() != n for n in names))
EOF
for packer in gzip xz zstd; do
  command -v $packer >/dev/null || { echo "  SKIP: $packer is not installed"; continue; }
  $packer -c "$work/x.tar" >"$work/x.packed"
  as_user "$rootlet" build "$work/x.packed" --entry tool -q -o "$work/out/packed"
  holds "$packer gives other bytes" cmp "$work/out/tar" "$work/out/packed"
  rm -f "$work/out/packed"
done

promise "a directory is packed without a change to it"
before=$(cd "$work/a" && find . -printf '%p %m %T@ %C@ %s\n' | sort | sha256sum)
as_user "$rootlet" build "$work/a" --entry tool -q -o "$work/out/1" || fail "the build"
after=$(cd "$work/a" && find . -printf '%p %m %T@ %C@ %s\n' | sort | sha256sum)
holds "the source changed" [ "$before" = "$after" ]

promise "the result is an AppImage that other readers find their way in"
holds "the magic" [ "$(dd if="$work/out/1" bs=1 skip=8 count=3 status=none)" = "AI$(printf '\2')" ]
rm -rf "$work/out/root"
unsquashfs -q -n -no-progress -o "$offset" -d "$work/out/root" "$work/out/1" >/dev/null
for name in AppRun tool.desktop tool.png .DirIcon .rootlet/policy.bin .rootlet/policy.toml .rootlet/NOTICE; do
  holds "$name is missing" [ -e "$work/out/root/$name" ]
done
if command -v desktop-file-validate >/dev/null; then
  holds "the desktop file" desktop-file-validate "$work/out/root/tool.desktop"
else
  echo "  SKIP: desktop-file-validate is not installed"
fi
holds "its mode" [ "$(stat -c %a "$work/out/1")" = 755 ]

# A build that takes long enough to be killed in the midst of it.
fresh big
static_program "$work/big/bin/tool"
head -c 400M /dev/urandom >"$work/big/noise"
kill_build() { # SIGNAL [ENV...]: status in $status
  local signal=$1
  shift
  fresh out; fresh tmp1
  become_user env TMPDIR="$work/tmp1" "$@" "$rootlet" build "$work/big" --entry tool --threads 1 \
    --comp-level 19 -o "$work/out/x" >/dev/null 2>&1 &
  local pid=$!
  sleep 1
  kill -0 $pid 2>/dev/null || fail "the build ended too early to be killed"
  [ "$(readlink /proc/$pid/exe)" = "$work/rootlet-tools" ] || fail "pid $pid is not the build"
  kill "-$signal" $pid
  wait $pid 2>/dev/null
  status=$?
}

promise "a build killed by SIGKILL, SIGTERM or SIGHUP leaves nothing"
for signal in KILL TERM HUP; do
  kill_build $signal
  holds "$signal left: $(ls -A "$work/out" "$work/tmp1")" is_empty "$work/out"
  holds "$signal left in TMPDIR: $(ls -A "$work/tmp1")" is_empty "$work/tmp1"
  holds "$signal gave status $status" [ $status = $((128 + $(kill -l $signal))) ]
done

promise "also on a filesystem without nameless files"
if command -v cc >/dev/null; then
  cat >"$work/shim.c" <<'EOF'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
int open64(const char *path, int flags, ...) {
  va_list args; va_start(args, flags); unsigned mode = va_arg(args, unsigned); va_end(args);
  if ((flags & O_TMPFILE) == O_TMPFILE) { errno = EOPNOTSUPP; return -1; }
  return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64"))(path, flags, mode);
}
int open(const char *path, int flags, ...) {
  va_list args; va_start(args, flags); unsigned mode = va_arg(args, unsigned); va_end(args);
  if ((flags & O_TMPFILE) == O_TMPFILE) { errno = EOPNOTSUPP; return -1; }
  return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open"))(path, flags, mode);
}
EOF
  cc -shared -fPIC -o "$work/shim.so" "$work/shim.c" -ldl
  fresh out
  as_user env LD_PRELOAD="$work/shim.so" "$rootlet" build "$work/a" --entry tool -q -o "$work/out/1"
  as_user "$rootlet" build "$work/a" --entry tool -q -o "$work/out/2"
  holds "other bytes" cmp "$work/out/1" "$work/out/2"
  holds "left over: $(ls -A "$work/out")" [ "$(ls -A "$work/out" | wc -l)" = 2 ]
  kill_build TERM LD_PRELOAD="$work/shim.so"
  holds "TERM left: $(ls -A "$work/out")" is_empty "$work/out"
  kill_build KILL LD_PRELOAD="$work/shim.so"
  for _ in 1 2 3 4 5 6 7 8 9 10; do is_empty "$work/out" && break; sleep 0.2; done
  holds "KILL left: $(ls -A "$work/out")" is_empty "$work/out"
else
  echo "  SKIP: no C compiler for the shim that refuses O_TMPFILE"
fi

promise "an entry that cannot start is refused with 125, its reason and a remedy"
fresh out
refused() { # EXPECTED-TEXT ARGUMENT...
  local expected=$1 said status
  shift
  said=$(as_user "$rootlet" build "$@" -q -o "$work/out/x" 2>&1)
  status=$?
  [ $status = 125 ] || fail "status $status for $*"
  grep -qF -- "$expected" <<<"$said" || fail "said: $said"
  grep -q '^hint: ' <<<"$said" || fail "no hint: $said"
  holds "it left a file" is_empty "$work/out"
}
static_program "$work/b/usr/bin/plain" && chmod 644 "$work/b/usr/bin/plain"
printf '#!/usr/bin/perl\n' >"$work/b/bin/script" && chmod 755 "$work/b/bin/script"
ln -s /bin/cat "$work/b/bin/outside"
cp /bin/cat "$work/b/bin/dynamic"
refused 'which of its programs shall run?' "$work/b"
refused '/bin/tool' "$work/b"
refused 'nope: no such program' "$work/b" --entry nope
refused '/bin/nope: the image has no such program' "$work/b" --entry /bin/nope
refused '/bin/outside: the image has no such program' "$work/b" --entry /bin/outside
refused '/usr/bin/plain: not executable' "$work/b" --entry /usr/bin/plain
refused '/bin/script: needs /usr/bin/perl, which the image lacks' "$work/b" --entry script
refused '/bin/dynamic: needs the loader' "$work/b" --entry dynamic
printf '[tool]\nentrypiont = ["/bin/tool"]\n' >"$work/bad.toml"
refused 'bad.toml:2: unknown key "entrypiont"' "$work/b" --policy "$work/bad.toml"
refused 'did you mean --entry?' "$work/b" --entri tool

if [ -x "$work/rootlet-apprun" ] || "$stub" --rootlet-version >/dev/null 2>&1; then
  promise "the file runs"
  fresh out
  if unshare -Ur true 2>/dev/null && command -v busybox >/dev/null; then
    fresh c && mkdir "$work/c/bin" && cp "$(command -v busybox)" "$work/c/bin/busybox"
    as_user "$rootlet" build "$work/c" --entry busybox -q -o "$work/out/bb" || fail "the build"
    said=$(cd "$work/out" && as_user ./bb echo "it runs" 2>&1)
    holds "said: $said" [ "$said" = "it runs" ]
  else
    echo "  SKIP: no user namespaces, or no busybox to pack"
  fi
fi

[ $failures = 0 ] || { echo "$failures failed"; exit 1; }
echo "all held"
