#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A terminal with somebody at it.

    terminal.py STEP... -- COMMAND...

Runs COMMAND on a terminal of 100 columns and 40 rows, takes the steps one
after the other, and then waits for its end:

    expect TEXT     wait until TEXT has been printed since the last expect
    type TEXT       type it; \\xNN and \\r are what they are in Python
    size COLSxROWS  the terminal's size changes
    kill NAME       send COMMAND a signal
    raw, cooked     wait until the terminal is so

Prints what was printed; exits as COMMAND did (128 + N for signal N), with
99 where something that was expected did not come within 20 seconds, with 98
where the terminal is not again what it was.
"""
import fcntl
import os
import select
import signal
import struct
import sys
import termios
import time

LIMIT = 20


def set_size(fd, size):
    columns, rows = (int(n) for n in size.split("x"))
    fcntl.ioctl(fd, termios.TIOCSWINSZ,
                struct.pack("HHHH", rows, columns, 0, 0))


def start(argv):
    ours, theirs = os.openpty()
    set_size(ours, "100x40")
    pid = os.fork()
    if pid == 0:
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
        for fd in range(3):
            os.dup2(theirs, fd)
        os.closerange(3, 100)
        os.execvp(argv[0], argv)
    return pid, ours, theirs


class Terminal:
    def __init__(self, argv):
        self.pid, self.ours, self.theirs = start(argv)
        self.before = termios.tcgetattr(self.theirs)
        self.text = b""
        self.seen = 0

    def read(self, seconds):
        ready = select.select([self.ours], [], [], seconds)[0]
        if ready:
            self.text += os.read(self.ours, 65536)
        return bool(ready)

    def is_raw(self):
        return not termios.tcgetattr(self.theirs)[3] & termios.ICANON

    def wait_for(self, what, done):
        end = time.monotonic() + LIMIT
        while not done():
            if time.monotonic() > end:
                sys.stdout.buffer.write(self.text)
                print("\nnever came:", what, flush=True)
                os.kill(self.pid, signal.SIGKILL)
                os._exit(99)
            self.read(0.02)

    def find(self, wanted):
        at = self.text.find(wanted, self.seen)
        if at >= 0:
            self.seen = at + len(wanted)
        return at >= 0

    def step(self, step):
        verb, _, rest = step.partition(" ")
        if verb == "expect":
            self.wait_for(step, lambda: self.find(rest.encode()))
        elif verb == "type":
            os.write(self.ours, rest.encode().decode("unicode_escape")
                     .encode("latin-1"))
        elif verb == "size":
            set_size(self.ours, rest)
        elif verb == "kill":
            os.kill(self.pid, getattr(signal, "SIG" + rest))
        elif verb == "raw":
            self.wait_for(step, self.is_raw)
        elif verb == "cooked":
            self.wait_for(step, lambda: not self.is_raw())
        else:
            sys.exit("no such step: " + step)

    def end(self):
        status = []

        def ended():
            pid, got = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                status.append(os.waitstatus_to_exitcode(got))
            return bool(pid)

        self.wait_for("its end", ended)
        while self.read(0.05):
            pass
        if termios.tcgetattr(self.theirs) != self.before:
            return 98
        return status[0] if status[0] >= 0 else 128 - status[0]


def main():
    at = sys.argv.index("--")
    terminal = Terminal(sys.argv[at + 1:])
    for step in sys.argv[1:at]:
        terminal.step(step)
    status = terminal.end()
    sys.stdout.buffer.write(terminal.text.replace(b"\r\n", b"\n"))
    sys.stdout.flush()
    sys.exit(status)


main()
