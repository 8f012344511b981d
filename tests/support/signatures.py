# SPDX-License-Identifier: MIT
"""Keys of a test's own, made by Debian's minisign and gpg, and the sections of an
AppImage that hold signatures, found and written without any code of ours."""
import base64
import hashlib
import os
import shutil
import struct
import subprocess

from promises import Skip, check

SLOT = 1024


class Keys:
    """A home with a minisign key and a GPG key in it."""

    def __init__(self, rig, name):
        for program in ("minisign", "gpg", "gpgv", "zsync", "zsyncmake", "curl"):
            if not shutil.which(program):
                raise Skip(f"no {program} here: scripts/setup installs it")
        self.rig = rig
        self.home = rig.top / name
        shutil.rmtree(self.home, ignore_errors=True)
        for directory in (self.home, self.home / "gpg"):
            directory.mkdir(mode=0o700)
            os.chown(directory, rig.uid, rig.uid)
        self.secret = self.home / "minisign.key"
        self.public = self.home / "minisign.pub"
        self.env = {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"),
                    "GNUPGHOME": str(self.home / "gpg"), "MINISIGN_CONFIG_DIR": None,
                    "ROOTLET_VERIFY": None}

    def run(self, *command, **keywords):
        keywords["env"] = dict(self.env, **keywords.pop("env", {}))
        return self.rig.run(*command, cwd=self.home, **keywords)

    def rootlet(self, *words, **keywords):
        return self.run(self.rig.rootlet, *words, **keywords)

    def must(self, *command, **keywords):
        done = self.run(*command, **keywords)
        check(done.code == 0, f"{command}: {done}")
        return done

    def minisign(self):
        self.must("minisign", "-GW", "-p", self.public, "-s", self.secret)
        return self

    def gpg(self, user="maker@example.org", *more):
        self.must("gpg", "--batch", "--quiet", "--passphrase", "", *more, "--quick-gen-key", user,
                  "ed25519", "sign", "never" if not more else "30d")
        return self.fingerprint(user)

    def fingerprint(self, user):
        lines = self.must("gpg", "--with-colons", "-K", user).text.splitlines()
        return next(line.split(":")[9] for line in lines if line.startswith("fpr"))

    def trust(self, *words):
        return self.must(self.rig.rootlet, "trust", "add", *words)

    def verify(self, image, *words):
        return self.rootlet("verify", image, *words)

    def image(self, name, **keywords):
        """A copy of the test image in this home."""
        path = self.home / name
        path.unlink(missing_ok=True)
        shutil.copy(self.rig.image, path)
        os.chown(path, self.rig.uid, self.rig.uid)
        return path


def protected_key(passphrase):
    """A minisign key pair whose passphrase costs little to try. As text."""
    seed, number, salt = os.urandom(32), os.urandom(8), os.urandom(32)
    made = subprocess.run(
        ["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"], capture_output=True,
        input=bytes.fromhex("302e020100300506032b657004220420") + seed, check=True)
    point = made.stdout[-32:]
    total = hashlib.blake2b(b"Ed" + number + seed + point, digest_size=32).digest()
    # What libsodium makes of the smallest limits: N 1024, r 8, p 1.
    stream = hashlib.scrypt(passphrase.encode(), salt=salt, n=1024, r=8, p=1, dklen=104)
    hidden = bytes(a ^ b for a, b in zip(number + seed + point + total, stream))
    limits = struct.pack("<QQ", 32768, 1 << 24)
    secret = base64.b64encode(b"EdScB2" + salt + limits + hidden).decode()
    public = base64.b64encode(b"Ed" + number + point).decode()
    return f"untrusted comment: secret\n{secret}\n", f"untrusted comment: public\n{public}\n"


def sections(data):
    """NAME -> (offset, size) of a 64-bit ELF file."""
    table, = struct.unpack_from("<Q", data, 40)
    entry, count, names = struct.unpack_from("<HHH", data, 58)
    headers = [struct.unpack_from("<IIQQQQ", data, table + i * entry) for i in range(count)]
    found = {}
    for name, _, _, _, offset, size in headers:
        start = headers[names][4] + name
        found[data[start:data.index(b"\0", start)].decode()] = (offset, size)
    return found


def zeroed(data, *ranges):
    data = bytearray(data)
    for offset, size in ranges:
        data[offset:offset + size] = bytes(size)
    return bytes(data)


def digest(data):
    """What AppImage tools have GPG sign."""
    places = sections(data)
    return hashlib.sha256(zeroed(data, places[".sha256_sig"], places[".sig_key"])).hexdigest()


def slot(data):
    offset, size = sections(data)[".sig_key"]
    return offset + size - SLOT, SLOT


def seal_page(data):
    """Where the seal of a file's image begins (runtime/payload/seal.hpp)."""
    return data.rindex(b"rootlet seal\n\0\0\1")


def seal_signature(data):
    """What a seal holds: the signed text, and minisign's signature of it."""
    page = seal_page(data)
    size, = struct.unpack_from("<I", data, page + 320)
    statement, _, signature = data[page + 324:page + 324 + size].partition(b"\n\n")
    return statement + b"\n", signature


def without_seal_signature(data):
    page = seal_page(data)
    return zeroed(data, (page + 320, 4096 - 320))


def text_at(data, place):
    return data[place[0]:sum(place)].split(b"\0")[0]


def write_at(data, place, text):
    check(len(text) < place[1], "too long for its section")
    data = bytearray(data)
    data[place[0]:sum(place)] = text + bytes(place[1] - len(text))
    return bytes(data)


def replace(path, data):
    """The same file with other content (it may have been executed: a new inode)."""
    status = path.stat()
    path.unlink()
    path.write_bytes(data)
    path.chmod(status.st_mode & 0o7777)
    os.chown(path, status.st_uid, status.st_gid)


__all__ = ["Keys", "SLOT", "digest", "protected_key", "replace", "seal_page", "seal_signature", "sections", "slot",
           "subprocess", "text_at", "without_seal_signature", "write_at", "zeroed"]
