#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Signatures: ours are read by Debian's minisign and gpg, theirs by us; whatever
is changed is told; an image says nothing for itself."""
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import check, contains, equal, main, test, times
from signatures import (Keys, digest, protected_key, replace, sections, slot, text_at, without_seal_signature,
                        write_at, zeroed)


def judged(done, code, *parts):
    equal(done.code, code, f"exit status of {done}")
    for part in parts:
        contains(done.text + done.errors, part, "what verify says")


@test()
def minisign_reads_ours(rig):
    """Debian's minisign accepts what we sign, beside the file and inside of it"""
    keys = Keys(rig, "reads-ours").minisign()
    image = keys.image("tool.AppImage")
    keys.must(rig.rootlet, "sign", "--beside", "-s", keys.secret, image)
    keys.must("minisign", "-Vm", image, "-p", keys.public)
    keys.must(rig.rootlet, "sign", "-q", "-s", keys.secret, image)
    check(keys.run("minisign", "-Vm", image, "-p", keys.public).code != 0, "signed bytes differ")
    # The signature inside is minisign's of the same file with the slot as zeros.
    data = image.read_bytes()
    plain = keys.home / "plain"
    plain.write_bytes(zeroed(data, slot(data)))
    (keys.home / "plain.minisig").write_bytes(text_at(data, slot(data)))
    contains(keys.must("minisign", "-Vm", plain, "-p", keys.public).text, "name:probe")
    equal(keys.run(image, "exit", "3").code, 3)


@test()
def minisign_is_read(rig):
    """we accept what Debian's minisign signs, in its older form too, and carry it inside"""
    keys = Keys(rig, "reads-theirs").minisign()
    image = keys.image("tool.AppImage")
    keys.trust(keys.public, "--name", "maker")
    for form in ((), ("-l",)):
        keys.must("minisign", "-S", *form, "-m", image, "-s", keys.secret, "-t", "with love")
        judged(keys.verify(image), 0, "good", "maker", "with love")
    keys.must("minisign", "-Sm", image, "-s", keys.secret)
    signature = keys.home / "tool.AppImage.minisig"
    keys.must(rig.rootlet, "sign", "-q", "--put", signature, image)
    signature.unlink()
    judged(keys.verify(image), 0, "minisign, inside: good")
    judged(keys.verify(image, "--key", keys.public), 0)
    judged(keys.verify(image, "--key", keys.public.read_text().split("\n")[1]), 0)


@test(by="user")
def passphrases(rig):
    """keys with passphrases are minisign's, both ways; a wrong passphrase is told"""
    keys = Keys(rig, "passphrases")
    right, wrong = keys.home / "right", keys.home / "wrong"
    right.write_text("open sesame\n")
    wrong.write_text("open says me\n")
    image = keys.image("tool.AppImage")
    secret, public = protected_key("open sesame")
    (keys.home / "theirs.key").write_text(secret)
    (keys.home / "theirs.pub").write_text(public)
    keys.must("minisign", "-Sm", image, "-s", "theirs.key", input=b"open sesame\n")
    judged(keys.verify(image, "--key", "theirs.pub"), 0)
    (keys.home / "tool.AppImage.minisig").unlink()
    keys.rootlet("sign", "-s", "theirs.key", "--passphrase-file", wrong,
                 image).failed_by_us("wrong passphrase")
    judged(keys.verify(image), 1, "not signed")
    keys.must(rig.rootlet, "sign", "-s", "theirs.key", image, input=b"open sesame\n")
    judged(keys.verify(image, "--key", "theirs.pub"), 0)
    # One of our making costs whoever guesses it 1 GiB and seconds a guess.
    keys.must(rig.rootlet, "sign", "--new-key", "-s", "ours.key", "--passphrase-file", right)
    equal((keys.home / "ours.key").stat().st_mode & 0o777, 0o600)
    keys.must("minisign", "-Sm", image, "-s", "ours.key", input=b"open sesame\n")
    judged(keys.verify(image, "--key", "ours.pub"), 0, "tool.AppImage.minisig: good")
    keys.rootlet("sign", "--new-key", "-s", "ours.key", "--no-passphrase").failed_by_us("already")


@test()
def gpg_reads_ours(rig):
    """Debian's gpg accepts our signature by the recipe of the AppImage tools"""
    keys = Keys(rig, "gpg-reads-ours")
    fingerprint = keys.gpg()
    image = keys.image("tool.AppImage")
    equal(keys.run(image, "--appimage-signature").out, b"\n")
    keys.must(rig.rootlet, "sign", "--gpg", image)
    data = image.read_bytes()
    signature, message = keys.home / "signature", keys.home / "message"
    signature.write_bytes(keys.must(image, "--appimage-signature").out)
    message.write_text(digest(data))
    key = keys.home / "key"
    key.write_bytes(text_at(data, sections(data)[".sig_key"]))
    keys.env["GNUPGHOME"] = str(keys.home / "other")  # somebody else's
    os.mkdir(keys.home / "other", 0o700)
    os.chown(keys.home / "other", rig.uid, rig.uid)
    keys.must("gpg", "--batch", "--import", key)
    done = keys.must("gpg", "--status-fd", "1", "--verify", signature, message)
    contains(done.text, f"VALIDSIG {fingerprint}")
    equal(keys.run(image, "exit", "3").code, 3)


@test()
def gpg_is_read(rig):
    """we accept what AppImage tools write into the sections, once the key is trusted"""
    keys = Keys(rig, "reads-gpg")
    fingerprint = keys.gpg()
    image = keys.image("tool.AppImage")
    data = image.read_bytes()
    places = sections(data)
    made = keys.must("gpg", "--armor", "--detach-sign", input=digest(data).encode()).out
    exported = keys.must("gpg", "--armor", "--export", fingerprint).out
    data = write_at(data, places[".sha256_sig"], made)
    replace(image, write_at(data, places[".sig_key"], exported))
    judged(keys.verify(image), 1, "unknown key", fingerprint)
    keys.trust(fingerprint, "--name", "maker")
    judged(keys.verify(image), 0, "good", "maker")
    # Both kinds at once, minisign's over GPG's.
    keys.minisign()
    keys.trust(keys.public)
    keys.must(rig.rootlet, "sign", "-s", keys.secret, image)
    judged(keys.verify(image), 0, "GPG, inside: good", "minisign, inside: good")
    keys.must(rig.rootlet, "sign", "-s", keys.secret, "--gpg", image)
    judged(keys.verify(image), 0, "GPG, inside: good", "minisign, inside: good")


@test(by="user")
def old_gpg_keys(rig):
    """a GPG key that is expired or revoked makes no good signature"""
    keys = Keys(rig, "old-keys")
    image = keys.image("tool.AppImage")
    data = image.read_bytes()
    expired = keys.gpg("old@example.org", "--faked-system-time", "20200101T000000")
    made = keys.must("gpg", "--batch", "--faked-system-time", "20200105T000000", "-u", expired,
                     "--armor", "--detach-sign", input=digest(data).encode()).out
    replace(image, write_at(data, sections(data)[".sha256_sig"], made))
    keys.trust(expired)
    judged(keys.verify(image), 1, "bad: the key that signed it has expired")
    revoked = keys.gpg("gone@example.org")
    made = keys.must("gpg", "--batch", "-u", revoked, "--armor", "--detach-sign",
                     input=digest(data).encode()).out
    replace(image, write_at(data, sections(data)[".sha256_sig"], made))
    paper = keys.home / "gpg/openpgp-revocs.d" / f"{revoked}.rev"
    keys.must("gpg", "--batch", "--import", input=paper.read_bytes().replace(b":-----", b"-----"))
    keys.trust(revoked)
    judged(keys.verify(image), 1, "bad: the key that signed it is revoked")


@test()
def nobody_vouches_for_himself(rig):
    """an image signed with a key of its own is "unknown key", never good, for both kinds"""
    maker, liar = Keys(rig, "maker").minisign(), Keys(rig, "liar").minisign()
    maker.trust(maker.public, "--name", "maker")
    fingerprint = maker.gpg()
    maker.trust(fingerprint)
    image = maker.image("tool.AppImage")
    liar.must(rig.rootlet, "sign", "-s", liar.secret, image)
    judged(maker.verify(image), 1, "unknown key", "a key you trust")
    liar.gpg("maker@example.org")  # the same name
    liar.must(rig.rootlet, "sign", "--gpg", image)
    judged(maker.verify(image), 1, "unknown key")
    # The liar's signature with the maker's key beside it.
    data = image.read_bytes()
    exported = maker.must("gpg", "--armor", "--export", fingerprint).out
    replace(image, write_at(data, sections(data)[".sig_key"], exported))
    judged(maker.verify(image), 1, "unknown key", "the key inside of the file is another one")
    # The maker's signature with the liar's key beside it.
    maker.must(rig.rootlet, "sign", "--gpg", image)
    judged(maker.verify(image), 0)
    data = image.read_bytes()
    theirs = liar.must("gpg", "--armor", "--export", "maker@example.org").out
    replace(image, write_at(data, sections(data)[".sig_key"], theirs))
    judged(maker.verify(image), 1, "bad", "not the one that signed it")
    # Trust on first use is the user's own act.
    judged(liar.rootlet("trust", "list"), 0, "no keys")
    maker.must(rig.rootlet, "sign", "-q", "-s", maker.secret, image)
    judged(liar.verify(image), 1)
    liar.trust(image, "--name", "found")
    judged(liar.verify(image), 0, "found")


def signed_twice(rig, name):
    keys = Keys(rig, name).minisign()
    keys.trust(keys.public, "--name", "maker")
    keys.trust(keys.gpg())
    image = keys.image("tool.AppImage")
    keys.must(rig.rootlet, "sign", "-s", keys.secret, "--gpg", image)
    return keys, image, image.read_bytes()


@test()
def changes_are_told(rig):
    """stripped, appended, cut short, another file's signature: each is told by its name"""
    keys, image, data = signed_twice(rig, "changes")
    places = sections(data)
    judged(keys.verify(image), 0, "good")
    cases = [
        (data + b"#!/bin/sh\n", "10 bytes were appended"),
        (data[:-4096], "cut short: 4096 of"),
        (data[:len(data) // 2], "cut short"),
        (zeroed(data, places[".sha256_sig"], places[".sig_key"]), "image only"),
        (without_seal_signature(zeroed(data, places[".sha256_sig"], places[".sig_key"])), "not signed"),
        (zeroed(data, slot(data)), "good"),  # the GPG signature is left
        (zeroed(data, places[".sha256_sig"]), "bad"),
        (data[:places[".sig_key"][0] + 8191] + b"x" + data[sum(places[".sig_key"]):], "hidden"),
        (data[:8] + b"\0\0\0" + data[11:], "not those that were signed"),
    ]
    for changed, what in cases:
        replace(image, changed)
        judged(keys.verify(image), 0 if what == "good" else 1, what)
    other = keys.image("other.AppImage")
    replace(other, data[:-1] + bytes([data[-1] ^ 1]))
    keys.must(rig.rootlet, "sign", "-q", "-s", keys.secret, "--gpg", other)
    theirs = other.read_bytes()
    for name in (".sha256_sig", ".sig_key"):
        start, end = places[name][0], sum(places[name])
        replace(image, data[:start] + theirs[start:end] + data[end:])
        judged(keys.verify(image), 1, "bad")
    # GPG's signature of the other file alone, without minisign's word on it.
    gpg_only = write_at(data, slot(data), b"")
    start, end = places[".sha256_sig"][0], sum(places[".sha256_sig"])
    replace(image, gpg_only[:start] + theirs[start:end] + gpg_only[end:])
    judged(keys.verify(image), 1, "bad")


@test(by="user", scaled=80)
def flipped_bits(rig):
    """one flipped bit, wherever it is, and a signed image is good no more"""
    keys, image, data = signed_twice(rig, "flips")
    places = sections(data)
    dice = random.Random(4711)
    ends = [0, 4, 8, 24, 40, 58, 63, places[".upd_info"][0], len(data) - 1, len(data) - 4096]
    ends += [dice.randrange(*span) for span in
             ((places[".sha256_sig"][0], sum(places[".sha256_sig"])),
              (places[".sig_key"][0], slot(data)[0])) for _ in range(6)]
    # Behind the comment, which is "untrusted" and covered by nothing.
    start = slot(data)[0] + data[slot(data)[0]:].index(b"\n") + 1
    ends += [dice.randrange(start, sum(slot(data))) for _ in range(10)]
    count = max(len(ends), times(80))
    for at in ends + [dice.randrange(len(data)) for _ in range(count - len(ends))]:
        if slot(data)[0] <= at < start:
            continue
        changed = bytearray(data)
        changed[at] ^= 1 << dice.randrange(8)
        replace(image, bytes(changed))
        done = keys.verify(image, "-q")
        equal(done.code, 1, f"byte {at}: {done}; exit status")


@test()
def modes_of_a_run(rig):
    """off runs, warn says so, require refuses before the image is looked into"""
    keys = Keys(rig, "modes").minisign()
    image = keys.image("tool.AppImage")
    run = lambda *options: keys.rootlet("run", *options, image, "exit", "5")
    equal(run().code, 5)
    equal(run("--verify=off").errors, "")
    judged(run("--verify", "warn"), 5, "not signed")
    run("--verify=require").failed_by_us("not signed", "hint: ")
    keys.must(rig.rootlet, "sign", "-q", "-s", keys.secret, image)
    run("--verify=require").failed_by_us("unknown key", "rootlet trust add")
    keys.trust(keys.public)
    judged(run("--verify=require"), 5)
    equal(run("--verify=warn").errors, "")
    judged(keys.rootlet("exec", "--verify=require", image, "/opt/foo/bin/probe", "exit", "6"), 6)
    # The superblock is nonsense, and nobody has looked.
    data = image.read_bytes()
    at = data.rindex(b"hsqs")
    replace(image, data[:at] + b"HSQS" + data[at + 4:])
    run("--verify=require").failed_by_us("bad", "not those that were signed")
    run().failed_by_us("no squashfs")
    keys.rootlet("run", "--verify=require", rig.top, "true").failed_by_us("a directory carries no")
    keys.rootlet("run", "--verify=maybe", image).failed_by_us("--verify=off, warn or require")


@test()
def modes_from_files(rig):
    """the user's file and ROOTLET_VERIFY set the mode, the command line wins"""
    keys = Keys(rig, "mode-files").minisign()
    image = keys.image("tool.AppImage")
    config = keys.home / "config/rootlet"
    config.mkdir(parents=True)
    (config / "config.toml").write_text('[trust]\nverify = "require"\n')
    for path in (config.parent, config, config / "config.toml"):
        os.chown(path, rig.uid, rig.uid)
    keys.rootlet("run", image, "exit", "5").failed_by_us("not signed")
    equal(keys.rootlet("run", "--verify=off", image, "exit", "5").code, 5)
    judged(keys.rootlet("run", image, "exit", "5", env={"ROOTLET_VERIFY": "warn"}), 5, "not signed")
    keys.rootlet("run", image, env={"ROOTLET_VERIFY": "x"}).failed_by_us("off, warn or require")
    (config / "config.toml").write_text('[trust]\nverify = "often"\n')
    keys.rootlet("run", image).failed_by_us("config.toml:2", "off, warn or require")
    (config / "config.toml").write_text('[trust]\nkeys = "site"\n')
    keys.rootlet("run", image).failed_by_us("site's file alone")


SITE = "mkdir -p /run/site/keys; printf '{}' > /run/site/config.toml; mkdir -p /etc/rootlet; " \
       "cp {} /run/site/keys/site.pub; mount --bind /run/site /etc/rootlet"


@test(by="user")
def the_sites_word(rig):
    """what the site's file says can be tightened by a user, never loosened"""
    keys = Keys(rig, "site").minisign()
    image = keys.image("tool.AppImage")
    signed = keys.image("signed.AppImage")
    keys.must(rig.rootlet, "sign", "-q", "-s", keys.secret, signed)
    own = Keys(rig, "own").minisign()
    user_signed = own.image("own.AppImage")
    own.must(rig.rootlet, "sign", "-q", "-s", own.secret, user_signed)
    own.trust(own.public)
    Path("/etc/rootlet").mkdir(exist_ok=True)

    def run(text, *words, **more):
        host = SITE.format(text.replace("\n", "\\n"), f"'{keys.public}'")
        return own.rootlet("run", *words, "exit", "5", host=host, **more)
    require = '[trust]\nverify = "require"\n'
    run(require, image).failed_by_us("not signed")
    run(require, "--verify=off", image).failed_by_us("requires good signatures")
    run(require, image, env={"ROOTLET_VERIFY": "warn"}).failed_by_us("requires good signatures")
    judged(run(require, signed), 5)
    judged(run(require, user_signed), 5)
    run(require + 'keys = "site"\n', user_signed).failed_by_us("unknown key")
    judged(run(require + 'keys = "site"\n', signed), 5)
    judged(run('[trust]\nverify = "warn"\n', image), 5, "not signed")
    run('[trust]\nverify = "warn"\n', "--verify=require", image).failed_by_us("not signed")
    run('[trust]\nverify = "warn"\n', "--verify=off", image).failed_by_us("at least a warning")


@test()
def a_place_for_keys(rig):
    """keys in a place that others can write are no keys; names are kept in order"""
    keys = Keys(rig, "places").minisign()
    image = keys.image("tool.AppImage")
    keys.must(rig.rootlet, "sign", "-q", "-s", keys.secret, image)
    keys.trust(keys.public, "--name", "maker")
    keys.rootlet("trust", "add", keys.public).failed_by_us("trusted already")
    keys.rootlet("trust", "add", keys.secret).failed_by_us("secret key")
    keys.rootlet("trust", "add", keys.public, "--name", "../x").failed_by_us("not a name")
    contains(keys.rootlet("trust", "list", "--json").text, '"name": "maker"')
    directory = keys.home / "config/rootlet/keys"
    directory.chmod(0o777)
    keys.verify(image).failed_by_us("others may write it")
    keys.rootlet("run", "--verify=require", image).failed_by_us("others may write it")
    directory.chmod(0o755)
    os.chown(directory / "maker.pub", 1, 1)
    keys.verify(image).failed_by_us("it is not yours")
    os.chown(directory / "maker.pub", rig.uid, rig.uid)
    judged(keys.verify(image), 0)
    keys.must(rig.rootlet, "trust", "remove", "maker")
    judged(keys.verify(image), 1)
    keys.rootlet("trust", "remove", "maker").failed_by_us("no key of this name")
    keys.verify(keys.home / "nothing").failed_by_us("No such file")


@test()
def signing_replaces_at_once(rig):
    """signing keeps mode, attributes and a run that goes on; kill -9 leaves the old file"""
    keys = Keys(rig, "replace").minisign()
    image = keys.image("tool.AppImage")
    image.chmod(0o750)
    before = image.read_bytes()
    running = keys.rig.start(image, "sleep", "3", env=keys.env, cwd=keys.home)
    for delay in range(times(20)):
        process = keys.rig.start(rig.rootlet, "sign", "-q", "-s", keys.secret, image, env=keys.env,
                                 cwd=keys.home)
        time.sleep(delay * 0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        now = without_seal_signature(image.read_bytes())
        check(now[slot(before)[0] + 1024:] == before[slot(before)[0] + 1024:], "bytes of the image changed")
        done = keys.verify(image, "--key", keys.public)
        check(done.code == 0 or "not signed" in done.text, f"half a signature: {done}")
    keys.must(rig.rootlet, "sign", "-q", "-s", keys.secret, image)
    equal(image.stat().st_mode & 0o7777, 0o750)
    equal(image.stat().st_uid, rig.uid)
    left = [p.name for p in keys.home.iterdir() if p.name.startswith("tool.AppImage")]
    equal(left, ["tool.AppImage"])
    equal(running.wait(), 0)
    keys.must(rig.rootlet, "sign", "--remove", image)
    equal(image.read_bytes(), before)


@test(by="user")
def built_signed(rig):
    """build --sign makes a signed file, build without a key none at all"""
    keys = Keys(rig, "built").minisign()
    tree = keys.home / "tree"
    shutil.copytree("/tmp/rootlet tests/tree", tree, symlinks=True)
    build = ("build", tree, "-q", "--entry", "/opt/foo/bin/probe", "-o", "built")
    keys.rootlet(*build, "--sign").failed_by_us("minisign.key", "rootlet sign --new-key")
    check(not (keys.home / "built").exists(), "an unsigned file is there")
    keys.must(rig.rootlet, *build, "--sign-key", keys.secret, "--zsync")
    judged(keys.verify("built", "--key", keys.public), 0)
    contains((keys.home / "built.zsync").read_bytes()[:300].decode(errors="replace"), "URL: built")
    first = (keys.home / "built").read_bytes()
    epoch = {"SOURCE_DATE_EPOCH": "1700000000"}
    keys.must(rig.rootlet, *build, "--sign-key", keys.secret, env=epoch)
    again = (keys.home / "built").read_bytes()
    check(first != again, "the time counts")
    keys.must(rig.rootlet, *build, "--sign-key", keys.secret, env=epoch)
    equal((keys.home / "built").read_bytes(), again)


if __name__ == "__main__":
    main()
