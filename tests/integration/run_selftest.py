"""nacre selftest: the escape suite on this kernel, and the signed report of it."""
import json
import shutil
import subprocess

import nacre_case
from nacre_case import NacreCase


class Selftest(NacreCase):
    def test_every_attack_is_stopped_and_the_report_is_signed(self):
        report = self.folder / "report.txt"
        done = self.nacre("selftest", "--json", "--report", report)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        summary, probes = lines[-1], lines[:-1]
        self.assertEqual(list(summary), ["probes", "stopped", "escaped", "skipped", "seconds"])
        self.assertEqual(summary["escaped"], 0, [probe for probe in probes if probe["verdict"] == "escaped"])
        self.assertGreaterEqual(summary["probes"], 150)
        self.assertEqual(summary["stopped"] + summary["skipped"], summary["probes"])
        self.assertEqual(len(probes), summary["probes"])
        print("SELFTEST", json.dumps(summary))
        for probe in probes:
            if probe["verdict"] == "stopped":
                self.assertIn(probe["layer"], probe["expected"], probe)

        verified = json.loads(self.nacre("selftest", "--json", "--verify", report).stdout)
        self.assertTrue(verified["ok"])
        self.assertEqual(verified["summary"], summary)
        # For people, and for machines, in one file; and the log knows of it.
        text = report.read_text(encoding="utf-8")
        self.assertTrue(text.startswith("nacre selftest report/1\n"))
        self.assertIn("files/dot_dot", text)
        whole = json.loads([line for line in text.splitlines() if line.startswith("{")][-1])
        self.assertEqual(whole["summary"], summary)
        finished = [record for record in self.audit() if record["event"] == "selftest.finished"]
        self.assertEqual(finished[-1]["data"]["stopped"], summary["stopped"])
        self.assert_verified()

        # One changed byte, wherever it is, and another key.
        forged = self.folder / "forged.txt"
        forged.write_text(text.replace("files/dot_dot", "files/dot_dox", 1), encoding="utf-8")
        refused = json.loads(self.nacre("selftest", "--json", "--verify", forged, exit_code=1).stdout)
        self.assertFalse(refused["ok"])
        shutil.copy(self.state / "audit" / "key.pub", self.folder / "ours.pub")
        shutil.rmtree(self.state)
        self.nacre("sandbox", "exec", "--", "true")  # another log, another key
        self.nacre("selftest", "--verify", report, exit_code=1)
        self.nacre("selftest", "--verify", report, "--key", self.folder / "ours.pub")

    def test_wrong_use_is_an_error_that_says_why(self):
        for arguments in (["--verify", "/nowhere"], ["--report", "/nowhere/report.txt"]):
            done = self.nacre("selftest", *arguments, exit_code=3)
            self.assertIn("/nowhere", done.stderr)
        self.nacre("selftest", "--key", "x", exit_code=2)
        self.write("no-report", "nacre selftest report/1\n")
        self.nacre("sandbox", "exec", "--", "true")
        self.nacre("selftest", "--verify", self.workspace / "no-report", exit_code=1)


class InstalledSelftest(NacreCase):
    def test_it_runs_from_an_installed_prefix_without_a_compiler(self):
        prefix = self.folder / "prefix"
        subprocess.run(["cmake", "--install", nacre_case.BUILD, "--prefix", prefix, "--component", "runtime"],
                       check=True, capture_output=True)
        done = subprocess.run([prefix / "bin" / "nacre", "--state", self.state, "selftest", "--json"], cwd=self.workspace,
                              env=self.environment(PATH="/nowhere"), capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr)
        self.assertEqual(json.loads(done.stdout.splitlines()[-1])["escaped"], 0)


if __name__ == "__main__":
    nacre_case.main()
