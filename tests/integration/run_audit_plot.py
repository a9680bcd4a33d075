"""nacre audit plot, and what a browser makes of its pictures."""
import json
import unittest

import browser
import nacre_case
from nacre_case import NacreCase
from scripted_engine import ScriptedEngine, answer, call

EVIL = '"></title></text></svg><script>alert(1)</script><img src="http://127.0.0.1:9/x" onerror=alert(1)>\x1b[2J\u202e]]>&amp;'

# Of every element that is drawn: what lies outside of the view box, by more than a line's width.
OUTSIDE = """(() => { const svg = document.querySelector('svg'), box = svg.viewBox.baseVal, out = [];
  for (const e of svg.querySelectorAll('rect,path,line,text')) { const b = e.getBBox();
    if (b.x < -1 || b.y < -1 || b.x + b.width > box.width + 1 || b.y + b.height > box.height + 1)
      out.push(e.outerHTML.slice(0, 200)); }
  return out; })()"""
# Names of rows whose text runs into the picture beside it.
TOO_WIDE = """[...document.querySelectorAll('text.name')].map(e => e.getBBox()).filter(b => b.x < 0 || b.x + b.width > 330).length"""
MARKS = """[...document.querySelectorAll('rect>title,path>title')].length"""


class Plot(NacreCase):
    def task(self, text, steps, *options):
        with ScriptedEngine(steps) as engine:
            events = self.run_task(text, "--engine", engine.url, *options).events
        return events[0]["session"]

    def plot(self, *arguments, exit_code=0):
        return self.nacre("audit", "plot", *arguments, exit_code=exit_code)

    def look(self, shown, file, marks):
        """What every picture must be, in light and in dark; answers the page."""
        page = shown.open(file.as_uri())
        self.assertEqual(page.evaluate(OUTSIDE), [])
        self.assertEqual(page.evaluate(TOO_WIDE), 0)
        self.assertEqual(page.evaluate(MARKS), marks)
        ink = []
        for dark in (False, True):
            page.dark(dark)
            ink.append((page.evaluate("getComputedStyle(document.querySelector('text')).fill"),
                        page.evaluate("getComputedStyle(document.querySelector('.paper')).fill")))
        self.assertEqual(len(set(ink)), 2, ink)
        self.assertEqual([(kind, page.evaluate(f"document.querySelectorAll('{kind}').length"))
                          for kind in ("script", "img", "foreignObject", "a", "iframe", "link")],
                         [(kind, 0) for kind in ("script", "img", "foreignObject", "a", "iframe", "link")])
        self.assertEqual(page.evaluate("document.querySelectorAll('svg').length"), 1)
        self.assertEqual(page.requests, [file.as_uri()])
        self.assertEqual(page.complaints, [])
        return page

    @unittest.skipIf(browser.find() is None, "SKIPPED: no chromium here")
    def test_a_browser_shows_every_picture_whole_and_asks_for_nothing_else(self):
        policy = self.policy("nacre: policy/1\nname: t\nextends: [builtin/coding]\naudit: {content: full}\n"
                             "data: {unlisted: untrusted, sources: [{path: '/workspace/c/**', confidentiality: secret}]}\n")
        self.write("c/x.md", "a customer\n")
        steps = [call("fs.read", path="c/x.md"), call("fs.read", path="none.md"),
                 call("fs.write", path="a.md", content=EVIL), call("fs.write", path="/etc/passwd", content=EVIL),
                 call("proc.run", argv=["wc", "c/x.md"]), answer(EVIL)]
        session = self.task(EVIL, steps, "--policy", policy)
        long = self.task("much", [call("fs.list", path=".") for _ in range(260)] + [answer("done")], "--policy",
                         self.policy("nacre: policy/1\nname: t\nextends: [builtin/coding]\n"
                                     "budgets: {turn: {steps: 400, tool_calls: 400, tokens: 100000000}}\n", "long.yaml"))
        with browser.Browser() as shown:
            for name, arguments in {"session": ("session", session), "flow": ("flow", session), "denials": ("denials",),
                                    "long": ("session", long), "longflow": ("flow", long),
                                    "empty": ("denials", "--until", "1h")}.items():
                for ending in ("html", "svg"):
                    file = self.folder / f"{name}.{ending}"
                    summary = json.loads(self.plot(*arguments, "-o", file, "--json").stdout)
                    self.assertEqual(summary["file"], str(file))
                    page = self.look(shown, file, summary["marks"])
                    text = page.evaluate("document.querySelector('svg').textContent")
                    if name == "session":
                        self.assertEqual((summary["calls"], summary["refused"], summary["failed"]), (5, 1, 1))
                        self.assertIn("<script>alert(1)</script>", text)  # as text
                        self.assertIn("confidentiality:secret", text)
                        self.assertIn("integrity:untrusted", text)
                    elif name == "long":
                        self.assertEqual((summary["calls"], summary["counted"]), (260, True))
                        self.assertIn("Counted, not drawn one by one", text)
                    elif name == "empty":
                        self.assertIn("No decision was recorded", text)

    def test_pictures_are_of_the_log_as_it_was_signed_and_of_sessions_that_there_are(self):
        session = self.task("write", [call("fs.write", path="/etc/x", content="x"), answer("no")])
        svg = self.plot("session", session[:12]).stdout
        self.assertEqual(svg, self.plot("session").stdout)  # the last one
        self.assertTrue(svg.startswith("<?xml") and svg.endswith("</svg>\n"))
        summary = json.loads(self.plot("denials", "--json", "-o", self.folder / "d.svg").stdout)
        self.assertEqual((summary["refused"], summary["decisions"]), (1, 1))
        self.assertEqual(json.loads(self.plot("denials", "--until", "1h", "--json", "-o", self.folder / "d.svg").stdout)["refused"], 0)
        self.assertEqual((self.folder / "d.svg").stat().st_mode & 0o777, 0o600)

        self.plot("session", "01ZZ", exit_code=1)
        self.plot("session", "--json", exit_code=2)  # the picture or its numbers: not both on one output
        self.plot("denials", "-o", self.folder / "d.png", exit_code=2)
        self.plot("denials", "--since", "yesterday", exit_code=2)
        self.plot("denials", "-o", self.folder / "no" / "d.svg", exit_code=1)
        self.plot("session", "--offline", self.folder, exit_code=2)
        self.task("again", [answer("yes")])
        self.assertIn("give more of the id", self.plot("session", session[:2], exit_code=2).stderr)
        # What was changed is no picture, and takes none that was there away.
        bundle = self.state / "audit" / "tile/entries/000"
        bundle.write_bytes(bundle.read_bytes().replace(b'"deny"', b'"denY"', 1))
        before = (self.folder / "d.svg").read_bytes()
        self.assertIn("no picture is made", self.plot("denials", "-o", self.folder / "d.svg", exit_code=2).stderr)
        self.assertEqual(self.plot("session", exit_code=2).stdout, "")
        self.assertEqual((self.folder / "d.svg").read_bytes(), before)


if __name__ == "__main__":
    nacre_case.main()
