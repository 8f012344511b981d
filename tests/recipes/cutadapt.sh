# SPDX-License-Identifier: MIT
# Python: modules, C extensions and metadata in /usr/lib/python3/dist-packages.
compares="10,000 pairs trimmed, adapters from a file"
data_packages=(bowtie2-examples)
data_files=(usr/share/doc/bowtie2/examples/reads/reads_{1,2}.fq.gz)

run() {
  tool cutadapt -a AGATCGGAAGAGC -A AGATCGGAAGAGC -q 20 -m 30 -j 2 --json report.json \
    -o trimmed_1.fq -p trimmed_2.fq reads_1.fq reads_2.fq > report.txt
  tool cutadapt -g file:adapters.fa --info-file info.tsv -o by_adapter.fq.gz reads_1.fq > report2.txt
  gzip -dc by_adapter.fq.gz > by_adapter.fq
  rm by_adapter.fq.gz  # its header holds the time
}

prepare() { printf '>one\nACGTACGT\n>two\nTTTGGG\n' > adapters.fa; }

normalise() { sed -E '/^Finished in/d; /"(wall_time|cpu_time)"/d; /"timing|per_read|_seconds"/d'; }

poison() { poison_python cutadapt dnaio json sitecustomize; }
control=(cutadapt --version)

# Interpreter, C library and modules: all from the image, whatever the host has.
check() {
  inspect /usr/bin/python3 - <<'PYTHON'
import cutadapt.align, dnaio, json, os, re, sys
image = os.stat('/usr').st_dev
mapped = sorted({line.split(None, 5)[5].strip() for line in open('/proc/self/maps')
                 if len(line.split(None, 5)) > 5 and line.split(None, 5)[5].startswith('/')})
loaded = sorted({m.__file__ for m in list(sys.modules.values()) if (getattr(m, '__file__', None) or '').startswith('/')})
foreign = [path for path in mapped + loaded if os.stat(path).st_dev != image]
for wanted in ('/usr/bin/python3', r'/libc\.so\.6', r'/dist-packages/.*\.so'):
    assert any(re.search(wanted, path) for path in mapped), 'not mapped: ' + wanted
print(f'{len(mapped)} mapped files and {len(loaded)} modules, {len(foreign)} not of the image')
sys.exit(' '.join(foreign) or 0)
PYTHON
}
