"""Browser: Debian's chromium without a window, driven through its debugging pipe, for tests of what people see.

    with Browser() as browser:
        page = browser.open("file:///tmp/picture.html")
        page.evaluate("document.querySelectorAll('rect').length")

It is the real thing: what it draws is measured, and whatever the page asks the network for or complains of is
in `page.requests` and `page.complaints`. Nothing leaves the machine: every name but localhost is unknown to it.
"""
import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile

TIMEOUT_S = 60


def find():
    """The browser's program, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Page:
    def __init__(self, browser, session):
        self.browser = browser
        self.session = session
        self.requests = []
        self.complaints = []  # of the console, of the security policy, exceptions, dialogs
        self.loaded = False

    def take(self, event):
        method, parameters = event["method"], event.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown",
                        "Page.javascriptDialogOpening", "Audits.issueAdded"):
            self.complaints.append(parameters)
        elif method == "Page.loadEventFired":
            self.loaded = True

    def call(self, method, **parameters):
        return self.browser.call(method, self, **parameters)

    def evaluate(self, expression):
        """The value of an expression of JavaScript, as the debugger sees it: no policy of the page forbids that."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise AssertionError(result["exceptionDetails"])
        return result["result"].get("value")

    def dark(self, dark):
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def screenshot(self, file):
        height = self.evaluate("Math.ceil(document.documentElement.getBoundingClientRect().height)")
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True,
                         clip={"x": 0, "y": 0, "width": 1280, "height": height, "scale": 1})
        with open(file, "wb") as out:
            out.write(base64.b64decode(data["data"]))


class Browser:
    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="nacre-browser-")
        to_read, self.commands = os.pipe()
        self.answers, to_write = os.pipe()
        arguments = [find(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--no-first-run", "--disable-background-networking", "--disable-component-update",
                     "--disable-sync", "--window-size=1280,900", "--host-resolver-rules=MAP * ~NOTFOUND",
                     f"--user-data-dir={self.folder}", "--remote-debugging-pipe", "about:blank"]
        # For the browser the pipe is descriptors 3 and 4; what they are here must be neither.
        given = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_read, to_write)]
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec 3<&{given[0]} 4>&{given[1]} {given[0]}<&- {given[1]}>&-; exec "$@"', "bash",
             *arguments], pass_fds=given, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        for end in (to_read, to_write, *given):
            os.close(end)
        self.reader = os.fdopen(self.answers, "rb")
        self.buffer = b""
        self.number = 0
        self.pages = {}
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.reader.close()
        os.close(self.commands)
        shutil.rmtree(self.folder, ignore_errors=True)

    def next_message(self):
        while b"\0" not in self.buffer:
            if not select.select([self.reader], [], [], TIMEOUT_S)[0]:
                raise AssertionError(f"the browser said nothing for {TIMEOUT_S} s")
            more = self.reader.read1(1 << 16)
            if not more:
                raise AssertionError("the browser ended")
            self.buffer += more
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def take(self, message):
        page = self.pages.get(message.get("sessionId"))
        if page and "method" in message:
            page.take(message)

    def call(self, method, page=None, **parameters):
        self.number += 1
        command = {"id": self.number, "method": method, "params": parameters}
        if page:
            command["sessionId"] = page.session
        os.write(self.commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self.next_message()
            if message.get("id") == self.number:
                if "error" in message:
                    raise AssertionError(f"{method}: {message['error']}")
                return message["result"]
            self.take(message)

    def open(self, url):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        self.pages[session] = page
        for domain in ("Page", "Network", "Log", "Runtime", "Audits"):
            page.call(f"{domain}.enable")
        page.call("Page.navigate", url=url)
        while not page.loaded:
            self.take(self.next_message())
        return page
