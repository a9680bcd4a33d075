"""ScriptedEngine: an OpenAI-compatible server whose model says exactly what a test wants.

    with ScriptedEngine([call("fs.list", path="."), answer("Two files.")]) as engine:
        nacre.run("List the files", "--engine", engine.url)

Each step answers one request, in order; after the last one a request is answered with status 500. A
step may also be a function of the request that returns a step, Hold (waits for the test) or Raw
(bytes as they are: a hostile or broken server). Everything stays on the loopback interface, on a
port that the kernel chooses.
"""
import http.server
import json
import re
import threading


def answer(text):
    return {"content": text}


def call(name, /, **arguments):
    return {"name": name, "arguments": json.dumps(arguments)}


def call_text(name, arguments_text):
    """A call whose arguments are this text, which need not be JSON."""
    return {"name": name, "arguments": arguments_text}


class Hold:
    """A step that waits until the test lets it go, then answers with `then`."""

    def __init__(self, then=None):
        self.then = then or answer("never mind")
        self.reached = threading.Event()
        self.released = threading.Event()


class Raw:
    """The whole body of the reply, with its status."""

    def __init__(self, body, status=200, content_type="application/json"):
        self.body = body if isinstance(body, bytes) else body.encode()
        self.status = status
        self.content_type = content_type


def _letters(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())


class ScriptedEngine:
    def __init__(self, steps):
        self.steps = list(steps)
        self.requests = []  # the bodies of /chat/completions, parsed
        self._lock = threading.Lock()
        engine = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                engine._send(self, Raw(json.dumps({"object": "list", "data": [{"id": "scripted", "object": "model"}]})))

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                try:
                    engine._reply(self, json.loads(body))
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_):
        for step in self.steps:
            if isinstance(step, Hold):
                step.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def messages(self, index=-1):
        return self.requests[index]["messages"]

    def tool_results(self, index=-1):
        """What the model was told by tools, as of a request."""
        return [m["content"] for m in self.messages(index) if m["role"] == "tool"]

    def offered(self, index=-1):
        """The names of the tools that a request offers, as nacre knows them."""
        return sorted(_letters(t["function"]["name"]) for t in self.requests[index].get("tools", []))

    def _reply(self, handler, request):
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
        step = self.steps[number] if number < len(self.steps) else Raw('{"error": {"message": "no step left"}}', 500)
        if callable(step):
            step = step(request)
        if isinstance(step, Hold):
            step.reached.set()
            step.released.wait()
            step = step.then
        if isinstance(step, Raw):
            self._send(handler, step)
            return
        message = {"role": "assistant", "content": step.get("content")}
        if "name" in step:
            # A server may not allow every character in a tool's name: answer with the name it was told.
            names = [t["function"]["name"] for t in request.get("tools", [])]
            name = next((n for n in names if _letters(n) == _letters(step["name"])), step["name"])
            message["tool_calls"] = [{"id": f"c{number}", "type": "function",
                                      "function": {"name": name, "arguments": step["arguments"]}}]
        reason = "tool_calls" if "name" in step else "stop"
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        head = {"id": f"r{number}", "created": 0, "model": "scripted"}
        if not request.get("stream"):
            self._send(handler, Raw(json.dumps({**head, "object": "chat.completion", "usage": usage, "choices": [
                {"index": 0, "message": message, "finish_reason": reason}]})))
            return
        deltas = [{"role": "assistant", "content": ""}]
        for tool in message.get("tool_calls", []):
            half = len(tool["function"]["arguments"]) // 2
            deltas.append({"tool_calls": [{**tool, "index": 0, "function": {
                "name": tool["function"]["name"], "arguments": tool["function"]["arguments"][:half]}}]})
            deltas.append({"tool_calls": [{"index": 0, "function": {"arguments": tool["function"]["arguments"][half:]}}]})
        text = message["content"] or ""
        deltas += [{"content": text[i:i + 7]} for i in range(0, len(text), 7)]
        chunks = [{**head, "object": "chat.completion.chunk",
                   "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
        chunks.append({**head, "object": "chat.completion.chunk", "usage": usage,
                       "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
        body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
        self._send(handler, Raw(body, content_type="text/event-stream"))

    @staticmethod
    def _send(handler, raw):
        handler.send_response(raw.status)
        handler.send_header("Content-Type", raw.content_type)
        handler.send_header("Content-Length", str(len(raw.body)))
        handler.end_headers()
        handler.wfile.write(raw.body)
