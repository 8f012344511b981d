# SPDX-License-Identifier: MIT
"""What a test says: this was not kept, or cannot be shown here."""


class Failed(Exception):
    """A promise that was not kept."""


class Skip(Exception):
    """The machine cannot show it; the reason."""


def check(condition, message):
    if not condition:
        raise Failed(message)


def equal(got, wanted, what="got"):
    check(got == wanted, f"{what}: {got!r}, wanted {wanted!r}")


def contains(text, part, what="output"):
    check(part in text, f"{what} lacks {part!r}: {text!r}")
