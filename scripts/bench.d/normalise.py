#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""normalise make DIRECTORY CHANNELS SAMPLES | normalise run DIRECTORY

Biosignals as EDF files (Kemp et al. 1992: a header of ASCII, records of 16-bit
samples), one file for each channel; run: band-pass 0.5 to 40 Hz, z-score,
resample from 250 to 100 Hz, each channel into a file of 32-bit floats beside it.
Prints for each channel the digest of what was written, rounded to 1e-4, so that
it is the same wherever the same arithmetic was done.
"""
import hashlib
import os
import sys

import numpy
from scipy import signal

RATE, TO, SECONDS = 250, 100, 10


def make(directory, channels, samples):
    records = samples // (RATE * SECONDS)
    count = records * RATE * SECONDS
    time = numpy.arange(count) / RATE
    generator = numpy.random.Generator(numpy.random.PCG64(1))
    for channel in range(channels):
        wave = 300 * numpy.sin(2 * numpy.pi * (1 + channel % 30) * time + channel)
        wave += generator.normal(0, 80, count) + 500 * numpy.sin(2 * numpy.pi * time / 97)
        head = (f"{0:<8}{'X X X X':<80}{'Startdate X X X X':<80}01.01.8500.00.00{512:<8}{'':<44}"
                f"{records:<8}{SECONDS:<8}{1:<4}"
                f"{f'EEG {channel}':<16}{'':<80}{'uV':<8}{-3276.8:<8}{3276.7:<8}{-32768:<8}{32767:<8}"
                f"{'':<80}{RATE * SECONDS:<8}{'':<32}")
        with open(os.path.join(directory, f"{channel:02}.edf"), "wb") as file:
            file.write(head.encode())
            file.write(numpy.clip(wave * 10, -32768, 32767).astype("<i2").tobytes())


def read(path):
    with open(path, "rb") as file:
        head = file.read(512).decode()
        low, high = float(head[360:368]), float(head[368:376])
        raw = numpy.frombuffer(file.read(), "<i2").astype(float)
    return low + (raw + 32768) * (high - low) / 65535


def normalise(wave):
    bands = signal.butter(4, (0.5, 40), "bandpass", fs=RATE, output="sos")
    wave = signal.sosfiltfilt(bands, wave)
    wave = (wave - wave.mean()) / wave.std()
    return signal.resample_poly(wave, TO // 50, RATE // 50)


def run(directory):
    for name in sorted(os.listdir(directory)):
        if not name.endswith(".edf"):
            continue
        wave = normalise(read(os.path.join(directory, name)))
        wave.astype("<f4").tofile(os.path.join(directory, name[:-4] + ".f32"))
        rounded = numpy.round(wave, 4) + 0.0
        print(name, len(wave), hashlib.sha256(rounded.astype("<f8").tobytes()).hexdigest()[:16])


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        run(sys.argv[2])
