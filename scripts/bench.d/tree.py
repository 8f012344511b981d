# SPDX-License-Identifier: MIT
"""What is measured with: a small root, a big one made from Debian packages, and
images of both. The big ones are kept in build/bench."""
import os
import shutil
import subprocess

PACKAGES = {"quick": ["python3", "python3-numpy"],
            "full": ["python3", "python3-numpy", "python3-scipy", "python3-pandas", "perl", "hmmer",
                     "ncbi-blast+", "samtools", "bwa"]}
BIG = {"quick": 32, "full": 128}  # MiB of the one big file
LEFT_OUT = ["./dev/*", "./usr/include", "./usr/lib/gcc", "./usr/share/locale", "./usr/share/doc",
            "./usr/share/man", "./usr/share/i18n", "./var/cache/apt", "./var/lib/apt/lists"]

# About 20 KB: a program without libc's start.
SMALL = """static char room[16384] = {1};
void _start(void) { room[0] = 0;
#if defined(__x86_64__)
  __asm__ volatile("syscall" :: "a"(231), "D"(0));
#else
  register long n __asm__("x8") = 94; register long s __asm__("x0") = 0;
  __asm__ volatile("svc 0" :: "r"(n), "r"(s));
#endif
}
"""


def run(*command, **options):
    options.setdefault("stdout", subprocess.DEVNULL)
    subprocess.run([str(word) for word in command], check=True, **options)


def squashfs(tree, image, *options):
    run("mksquashfs", tree, image, "-comp", "zstd", "-noappend", "-all-root", "-quiet", "-no-progress", *options)
    return image


CAT = """#include <unistd.h>
int main(void) { char c; while (read(0, &c, 1) == 1 && write(1, &c, 1) == 1) {} return 0; }
"""


class Trees:
    def __init__(self, top, work, quick):
        self.build = os.path.join(top, "build")
        self.sources = os.path.join(top, "scripts/bench.d")
        self.kept = os.path.join(self.build, "bench")
        self.work = work
        self.kind = "quick" if quick else "full"
        self.rootlet = os.path.join(self.build, "rootlet")
        os.makedirs(self.kept, exist_ok=True)

    def compile(self, name, out, *options):
        run("gcc", "-O2", "-o", out, os.path.join(self.sources, name), *options)
        return out

    def pack(self, root, program, out, *options):
        """The file that `rootlet build` makes."""
        run(self.rootlet, "build", root, "--entry", program, "-o", out, "--quiet", "--force", *options,
            stderr=subprocess.DEVNULL)
        return out

    def with_stub(self, image, out):
        """Our stub before an image as mksquashfs lays it out."""
        with open(out, "wb") as file:
            for part in (os.path.join(self.build, "rootlet-stub"), image):
                with open(part, "rb") as source:
                    shutil.copyfileobj(source, file)
        os.chmod(out, 0o755)
        return out

    def small(self):
        """A root with an empty static, an empty dynamic, a spinning and a waiting program."""
        root = os.path.join(self.work, "root")
        if os.path.exists(root):
            return root
        for name in ("bin", "proc", "dev", "sys", "tmp", "var/tmp", "run", "home", "etc", "root", "mnt",
                     os.getcwd().lstrip("/")):
            os.makedirs(os.path.join(root, name), exist_ok=True)
        for name in ("passwd", "group", "hosts", "resolv.conf"):
            open(os.path.join(root, "etc", name), "w").close()
        for name, text in (("small.c", SMALL), ("empty.c", "int main(void) { return 0; }\n"), ("cat.c", CAT)):
            with open(os.path.join(self.work, name), "w") as file:
                file.write(text)
        run("gcc", "-Os", "-static", "-nostdlib", "-o", f"{root}/bin/static", f"{self.work}/small.c")
        run("gcc", "-O2", "-o", f"{root}/bin/dynamic", f"{self.work}/empty.c")
        run("gcc", "-Os", "-static", "-o", f"{root}/bin/cat", f"{self.work}/cat.c")
        self.compile("spin.c", f"{root}/bin/spin", "-static")
        for line in subprocess.check_output(["ldd", f"{root}/bin/dynamic"], text=True).splitlines():
            for word in line.split():
                if word.startswith("/"):
                    os.makedirs(root + os.path.dirname(word), exist_ok=True)
                    shutil.copy(word, root + word)
        return root

    def small_image(self):
        image = os.path.join(self.work, "small.sqfs")
        return image if os.path.exists(image) else squashfs(self.small(), image)

    def big(self):
        """The big root; made once."""
        tree = os.path.join(self.kept, f"{self.kind}.tree")
        if not os.path.exists(tree):
            self.make_big(tree + ".new")
            os.rename(tree + ".new", tree)
        return tree

    def big_image(self):
        image = os.path.join(self.kept, f"{self.kind}.sqfs")
        if not os.path.exists(image):
            os.rename(squashfs(self.big(), image + ".new"), image)
        return image

    def make_big(self, tree):
        self.make_root(tree, PACKAGES[self.kind])
        for name in ("local/data", "local/lists", "local/bin"):
            os.makedirs(f"{tree}/usr/{name}", exist_ok=True)
        os.makedirs(tree + os.getcwd(), exist_ok=True)
        self.compile("reader.c", f"{tree}/usr/local/bin/reader", "-static")
        self.make_lists(tree)
        self.make_big_file(tree)

    @staticmethod
    def make_root(tree, packages, *kept):
        """A root of Debian packages, without what no program reads but for what is kept."""
        shutil.rmtree(tree, ignore_errors=True)
        os.makedirs(tree)
        make = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=" + ",".join(packages), "bookworm", "-"]
        unpack = ["tar", "-C", tree, "-x", "--no-same-owner",
                  *(f"--exclude={name}" for name in LEFT_OUT if name not in kept)]
        with subprocess.Popen(make, stdout=subprocess.PIPE) as making:
            subprocess.run(unpack, stdin=making.stdout, check=True)
            if making.wait() != 0:
                raise SystemExit("scripts/bench: mmdebstrap failed; scripts/setup --bench installs what is needed")

    def make_lists(self, tree):
        """All files of at most 4 MiB, dealt out to four readers."""
        lists = [open(f"{tree}/usr/local/lists/{number}", "w") for number in (1, 2, 3, 4)]
        count = 0
        for directory, _, names in sorted(os.walk(f"{tree}/usr")):
            for name in sorted(names):
                path = os.path.join(directory, name)
                if os.path.islink(path) or os.path.getsize(path) > 4 << 20 or "/usr/local/" in path:
                    continue
                lists[count % 4].write(path[len(tree):] + "\n")
                count += 1
        for file in lists:
            file.close()
        with open(f"{tree}/usr/local/lists/all", "w") as file:
            file.write("1\n2\n3\n4\n")

    def make_big_file(self, tree):
        """The head of a tar of the tree's own libraries."""
        wanted = BIG[self.kind] << 20
        with subprocess.Popen(["tar", "-C", tree, "-cf", "-", "usr/lib"], stdout=subprocess.PIPE) as making, \
                open(f"{tree}/usr/local/data/big.bin", "wb") as file:
            while wanted > 0:
                part = making.stdout.read(min(wanted, 1 << 20))
                if not part:
                    break
                file.write(part)
                wanted -= len(part)
            making.kill()
