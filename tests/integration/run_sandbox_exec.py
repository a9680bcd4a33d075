"""`nacre sandbox exec`: one command in a sandbox, what it may not do and why, and on a terminal of its own."""
import fcntl
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import termios

import nacre_case
from nacre_case import TIMEOUT_S, NacreCase, processes_with, wait_until


class Sandbox(NacreCase):
    """`nacre sandbox exec`: what a call can and cannot do, and how it ends."""

    def exec(self, *command, exit_code=0, policy=None):
        options = ["--policy", policy] if policy else []
        done = self.nacre("sandbox", "exec", "--json", "--workspace", self.workspace, *options, "--", *command,
                          exit_code=exit_code)
        return done.last

    def limits(self, text):
        return self.policy("nacre: policy/1\nname: limits\nextends: [builtin/coding]\nsandbox:\n  limits: {" + text + "}\n")

    def test_it_shows_output_and_exit_code(self):
        self.write("a.txt", "one\ntwo\n")
        done = self.nacre("sandbox", "exec", "--workspace", self.workspace, "--", "wc", "-l", "a.txt")
        self.assertEqual(done.stdout, "2 a.txt\n")
        self.assertEqual(self.exec("sh", "-c", "exit 7", exit_code=7)["kind"], "exited")

    def test_it_has_all_layers_and_no_privileges(self):
        outcome = self.exec("cat", "/proc/self/status")
        status = dict(line.split(":\t", 1) for line in outcome["output"].splitlines() if ":\t" in line)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        for kind in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]:
            self.assertEqual(int(status[kind], 16), 0, kind)
        layers = outcome["layers"]
        self.assertLessEqual({"user", "mount", "pid", "net", "ipc", "uts", "cgroup"}, set(layers["namespaces"]))
        self.assertTrue(layers["seccomp"] and layers["no_new_privs"] and layers["capabilities_empty"])
        self.assertEqual(layers["uid_map"].split()[::2], ["1000", "1"])
        self.assertEqual((layers["resource_limits"]["nofile"], layers["resource_limits"]["core"]), (512, 1))

    def test_what_a_policy_does_not_require_stands_in_every_record(self):
        self.exec("true")
        finished = next(r for r in self.audit() if r["event"] == "sandbox.exec.finished")
        self.assertEqual(finished["data"]["outcome"]["layers"]["exceptions"], ["cgroup", "id_maps"])
        strict = self.policy("nacre: policy/1\nname: strict\nextends: [builtin/coding]\n"
                             "sandbox: {require: {cgroup: true, id_maps: true}}\n")
        outcome = self.exec("true", policy=strict, exit_code=None)
        self.assertEqual(outcome["layers"]["exceptions"], [])
        if outcome["layers"]["cgroup"] == "none":  # where there is none to give, nothing has run
            self.assertEqual(outcome["kind"], "setup_failed", outcome)
            self.assertIn("require: {", outcome["description"])

    def test_more_files_than_allowed_end_a_call(self):
        outcome = self.exec("sh", "-c", "i=0; while :; do : > f$i; i=$((i+1)); done", exit_code=125,
                            policy=self.limits("inodes: 100"))
        self.assertEqual((outcome["kind"], outcome["disk"]), ("disk_exceeded", "inodes"))
        self.assertEqual(list(self.workspace.iterdir()), [])

    def test_no_file_process_network_or_variable_of_the_host(self):
        (self.folder / "secret.txt").write_text("s3cret", encoding="utf-8")
        self.exec("cat", str(self.folder / "secret.txt"), exit_code=1)
        self.exec("cat", "/etc/shadow", exit_code=1)
        processes = self.exec("sh", "-c", "ls -d /proc/[0-9]*")["output"].split()
        self.assertLess(len(processes), 6)
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(0)
            address = f"/dev/tcp/127.0.0.1/{server.getsockname()[1]}"
            self.assertNotEqual(self.exec("bash", "-c", f"echo hello > {address}", exit_code=None)["exit_code"], 0)
            with self.assertRaises(BlockingIOError):
                server.accept()
        variables = dict(line.split("=", 1) for line in self.exec("env")["output"].splitlines())
        self.assertEqual(set(variables) - {"PWD", "OLDPWD", "SHLVL", "_"}, {"PATH", "HOME", "TMPDIR", "LANG", "TERM"})

    def test_it_can_change_the_workspace_and_nothing_else(self):
        self.exec("sh", "-c", "echo hello > a.txt")
        self.assertEqual((self.workspace / "a.txt").read_text(), "hello\n")
        for place in ["/usr/x", "/etc/x", "/x", "/proc/sys/kernel/hostname"]:
            self.assertNotEqual(self.exec("sh", "-c", f"echo x > {place}", exit_code=None)["exit_code"], 0, place)

    def test_limits_end_a_call_with_the_right_outcome(self):
        rows = [
            ("wall: 500ms", ["sleep", "25.125004"], "timed_out", 124),
            ("cpu: 1s", ["sh", "-c", "while :; do :; done"], "cpu_exceeded", 125),
            ("output: 4KiB", ["sh", "-c", "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done"], "output_exceeded", 125),
        ]
        for limits, command, kind, exit_code in rows:
            with self.subTest(kind):
                outcome = self.exec(*command, exit_code=exit_code, policy=self.limits(limits))
                self.assertEqual(outcome["kind"], kind, outcome)
        self.assertEqual(processes_with("25.125004"), [])

    def test_a_memory_hog_ends(self):
        # Without a newline tail must keep it all.
        outcome = self.exec("sh", "-c", "head -c 1000000000 /dev/zero | tail -n 1 > /dev/null", exit_code=None,
                            policy=self.limits("memory: 64MiB"))
        # Where no cgroup can be had the allocation fails instead, and the program gives up by itself.
        self.assertIn(outcome["kind"], ("out_of_memory", "exited", "signaled"), outcome)
        if outcome["kind"] == "exited":
            self.assertNotEqual(outcome["exit_code"], 0)

    def test_a_fork_bomb_ends_and_leaves_nothing(self):
        bomb = 'f() { sleep 25.125005 & f & f & wait; }; f'
        self.exec("bash", "-c", bomb, exit_code=None, policy=self.limits("tasks: 32, wall: 3s"))
        wait_until(lambda: not processes_with("25.125005"), "the bomb's processes to end")

    def test_a_big_file_ends(self):
        self.exec("sh", "-c", "head -c 100000000 /dev/zero > big", exit_code=None, policy=self.limits("disk: 1MiB"))
        self.assertFalse((self.workspace / "big").exists())  # it did not end well: nothing is kept

    def test_it_runs_in_the_tier_that_is_asked_for_or_not_at_all(self):
        command = ["sandbox", "exec", "--json", "--workspace", self.workspace, "--isolation"]
        outcome = self.nacre(*command, "gvisor", "--", "uname", "-r", exit_code=None).last
        self.assertEqual(outcome["layers"]["isolation"], "gvisor")
        if outcome["kind"] == "setup_failed":
            self.assertIn("runsc", outcome["description"])
            self.assertEqual(outcome["output"], "")
        else:
            self.assertEqual((outcome["kind"], outcome["output"]), ("exited", "4.4.0\n"))
            self.assertEqual(outcome["layers"]["guest_kernel"], "Linux 4.4.0")
        outcome = self.nacre(*command, "microvm", "--", "true", exit_code=None).last
        self.assertEqual(outcome["layers"]["isolation"], "microvm")
        if outcome["kind"] == "setup_failed":
            self.assertRegex(outcome["description"], "isolation microvm: .*(apt-get install|/dev/kvm|KVM)")
        else:
            self.assertEqual(outcome["kind"], "exited")
        self.nacre(*command, "none", "--", "true", exit_code=2)

    def test_a_tool_in_gvisor_cannot_speak_in_its_agents_name(self):
        # It runs as the same user as the agent and can open its stream: what it writes there counts for nothing.
        forged = 'b\'X{"status": 0, "limit": "", "cpu_us": 1, "wall_us": 5, "memory_peak_bytes": 1}\''
        program = ("import os, struct, time\n"
                   "open('planted.txt', 'w').write('planted')\n"
                   f"frame = {forged}\n"
                   "stream = os.open('/proc/1/fd/1', os.O_WRONLY)\n"
                   "os.write(stream, struct.pack('<I', len(frame)) + frame)\n"
                   "time.sleep(60)\n")
        outcome = self.nacre("sandbox", "exec", "--json", "--workspace", self.workspace, "--isolation", "gvisor",
                             "--policy", self.limits("wall: 20s"), "--", "python3", "-c", program,
                             exit_code=None).last
        if outcome["kind"] != "setup_failed":  # or there is no gVisor
            self.assertEqual(outcome["kind"], "signaled", outcome)
            self.assertIn("a frame that is not its agent's", outcome["layers"]["weaker"][0])
        self.assertFalse((self.workspace / "planted.txt").exists())

    def test_a_policy_chooses_the_tier(self):
        policy = self.policy("nacre: policy/1\nname: strict\nextends: [builtin/coding]\n"
                             "sandbox: {isolation: microvm}\n")
        self.assertEqual(self.exec("true", policy=policy, exit_code=None)["layers"]["isolation"], "microvm")

    def test_it_is_recorded(self):
        self.exec("true")
        self.assertEqual([r["event"] for r in self.audit() if r["event"].startswith("sandbox.")],
                         ["sandbox.exec.started", "sandbox.exec.finished"])
        self.assert_verified()


class Why(NacreCase):
    """`nacre sandbox exec --why`: real programs, what they were refused, and a policy that allows it."""

    def why(self, *command, policy="coding", exit_code=None):
        done = self.nacre("sandbox", "exec", "--json", "--why", "--workspace", self.workspace, "--policy", policy, "--",
                          *command, exit_code=exit_code)
        return done.last

    def refusal(self, outcome, what):
        found = [each for each in outcome["why"]["refused"] if what in each["what"]]
        self.assertTrue(found, outcome["why"])
        return found[0]

    def apply(self, outcome):
        """The suggested policy, which must load."""
        path = self.folder / "suggested.yaml"
        path.write_text(outcome["why"]["policy"], encoding="utf-8")
        self.nacre("policy", "check", path)
        return path

    def test_a_socket(self):
        program = "import socket; socket.socket(); print('made')"
        outcome = self.why("python3", "-c", program)
        self.assertNotIn("made", outcome["output"])
        refusal = self.refusal(outcome, "socket (IPv4)")
        self.assertIn("profile ", refusal["why"])
        self.assertIn("profile: network-client", refusal["change"])
        outcome = self.why("python3", "-c", program, policy=self.apply(outcome), exit_code=0)
        self.assertEqual(outcome["output"], "made\n")

    def test_a_hidden_file(self):
        self.write(".env", "SECRET=1\n")
        outcome = self.why("cat", ".env")
        self.assertEqual(outcome["output"], "")
        refusal = self.refusal(outcome, "read /workspace/.env")
        self.assertIn("workspace.hide", refusal["why"])
        self.assertIn("builtin/base:", refusal["why"])
        outcome = self.why("cat", ".env", policy=self.apply(outcome), exit_code=0)
        self.assertEqual(outcome["output"], "SECRET=1\n")

    def test_a_protected_file(self):
        (self.workspace / ".git").mkdir()
        self.write(".git/config", "x")
        outcome = self.why("sh", "-c", "echo y > .git/config")
        self.assertIn("workspace.protect", self.refusal(outcome, "write /workspace/.git/config")["why"])
        self.why("sh", "-c", "echo y > .git/config", policy=self.apply(outcome), exit_code=0)
        self.assertEqual((self.workspace / ".git/config").read_text(), "y\n")

    def test_a_read_only_workspace(self):
        outcome = self.why("touch", "new", policy="base")
        self.assertEqual(self.refusal(outcome, "write /workspace/new")["change"], "workspace: {mode: transactional}")
        self.why("touch", "new", policy=self.apply(outcome), exit_code=0)
        self.assertTrue((self.workspace / "new").exists())

    def test_a_program_in_the_workspace(self):
        (self.workspace / "run").write_text("#!/bin/sh\necho ran\n", encoding="utf-8")
        (self.workspace / "run").chmod(0o755)
        outcome = self.why("sh", "-c", "./run; cp run /tmp; /tmp/run", policy="base")
        self.assertNotIn("ran", outcome["output"])
        refusal = self.refusal(outcome, "run /workspace/run")
        self.assertIn("noexec", refusal["why"])
        self.assertEqual(refusal["change"], "sandbox: {profile: build}")
        self.assertEqual(self.refusal(outcome, "run /tmp/run")["change"], "")
        outcome = self.why("sh", "-c", "./run", policy=self.apply(outcome), exit_code=0)
        self.assertEqual(outcome["output"], "ran\n")

    def test_a_limit(self):
        policy = self.policy("nacre: policy/1\nname: short\nextends: [builtin/coding]\n"
                             "sandbox: {limits: {wall: 300ms}}\n")
        outcome = self.why("sleep", "25.125008", policy=policy, exit_code=124)
        self.assertIn("wall", self.refusal(outcome, "timed out")["why"])
        self.assertIn("wall: 600ms", outcome["why"]["policy"])

    def test_what_no_policy_may_allow(self):
        (self.folder / "secret.txt").write_text("s3cret", encoding="utf-8")
        outcome = self.why("sh", "-c", f"cat {self.folder}/secret.txt; echo x > /usr/x")
        for what in [f"read {self.folder}/secret.txt", "write /usr/x"]:
            self.assertEqual(self.refusal(outcome, what)["change"], "", what)
        self.assertEqual(outcome["why"]["policy"], "")

    def test_nothing_more_is_allowed_and_nothing_is_made_up(self):
        outcome = self.why("cat", "/proc/self/status", exit_code=0)
        self.assertEqual(outcome["why"], {"refused": [], "policy": "", "cut": False})
        self.assertIn("Seccomp:\t2", outcome["output"])
        self.assertTrue(outcome["layers"]["seccomp"])


class Interactive(NacreCase):
    """`nacre sandbox exec --pty`: a call on a terminal of its own, connected with ours."""

    def start(self, *command, options=()):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, theirs)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 101, 0, 0))
        self.before = termios.tcgetattr(theirs)
        self.ours, self.theirs, self.seen = ours, theirs, b""
        process = subprocess.Popen(
            self.command("sandbox", "exec", "--pty", "--workspace", self.workspace, *options, "--", *command),
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env={**os.environ, "TERM": "xterm"})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def read_until(self, text):
        def has_it():
            while text not in self.seen and select.select([self.ours], [], [], 0.05)[0]:
                self.seen += os.read(self.ours, 4096)
            return text in self.seen
        wait_until(has_it, f"{text!r} after {self.seen!r}")

    def assert_restored(self):
        self.assertEqual(termios.tcgetattr(self.theirs), self.before)

    def test_it_is_a_terminal_of_its_own_with_the_size_of_ours(self):
        process = self.start("sh", "-c", "test -t 0 && test -t 1 && test -t 2 && stty size; ls -1 /dev/pts; echo $TERM")
        self.read_until(b"33 101\r\n0\r\nptmx\r\nxterm\r\n")
        self.assertEqual(process.wait(TIMEOUT_S), 0)
        self.assert_restored()

    def test_keys_reach_the_call_and_the_window_size_follows(self):
        process = self.start("sh", "-c", "echo go; read x; echo got:$x; stty size")
        self.read_until(b"go\r\n")
        self.assertNotEqual(termios.tcgetattr(self.theirs)[3] & termios.ECHO, termios.ECHO)
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 34, 0, 0))
        process.send_signal(signal.SIGWINCH)
        os.write(self.ours, b"hello\r")
        self.read_until(b"got:hello\r\n")
        self.assertEqual(process.wait(TIMEOUT_S), 0)
        self.assert_restored()

    def test_ctrl_c_ends_the_call_and_not_nacre(self):
        process = self.start("sh", "-c", "echo go; exec sleep 25.125006")
        self.read_until(b"go\r\n")
        os.write(self.ours, b"\x03")
        self.assertEqual(process.wait(TIMEOUT_S), 128 + signal.SIGINT)
        self.assert_restored()

    def test_every_way_out_puts_the_terminal_back(self):
        self.assertEqual(self.start("/usr/bin/no-such-program").wait(TIMEOUT_S), 3)
        self.assert_restored()
        for number, repeat in [(signal.SIGTERM, 1), (signal.SIGHUP, 1), (signal.SIGQUIT, 1)]:
            with self.subTest(number):
                process = self.start("sh", "-c", "echo go; sleep 25.125007")
                self.read_until(b"go\r\n")
                process.send_signal(number)
                process.wait(TIMEOUT_S)
                self.assert_restored()
                wait_until(lambda: not processes_with("25.125007"), "the call to end")

    def test_nothing_can_be_typed_into_our_terminal(self):
        program = ("import fcntl, os, termios\n"
                   "for request in (termios.TIOCSTI, 0x541C):\n"
                   "    try:\n"
                   "        fcntl.ioctl(0, request, b'x')\n"
                   "        print('typed')\n"
                   "    except OSError as error:\n"
                   "        print('refused', error.errno)\n"
                   "try:\n"
                   "    os.open('/dev/pts/ptmx', os.O_RDWR)\n"
                   "    print('opened')\n"
                   "except OSError:\n"
                   "    print('refused ptmx')\n")
        process = self.start("python3", "-c", program)
        self.read_until(b"refused ptmx")
        self.assertNotIn(b"typed", self.seen)
        self.assertEqual(process.wait(TIMEOUT_S), 0)

    def test_a_tier_without_terminals_refuses(self):
        process = self.start("true", options=("--isolation", "gvisor"))
        self.assertNotEqual(process.wait(TIMEOUT_S), 0)
        self.assert_restored()


if __name__ == "__main__":
    nacre_case.main()
