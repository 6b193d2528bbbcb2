"""What a container of one's own serves behind a multi-model endpoint: AWS's contract, and room for two models."""

from __future__ import annotations

SERVE = """\
#!/usr/bin/env python3
import http.server, json, os, pathlib, signal, sys
assert os.environ["SAGEMAKER_MULTI_MODEL"] == "true"
ROOM = 2
loaded = {}

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, code, document):
        body = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @property
    def name(self):
        return self.path.split("/")[2]

    def do_GET(self):
        if self.path == "/ping":
            self.answer(200, {})
        else:
            self.answer(200 if self.name in loaded else 404, {})

    def do_DELETE(self):
        self.answer(200 if loaded.pop(self.name, None) else 404, {})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/models":
            self.load(**json.loads(body))
        elif self.name not in loaded:
            self.answer(404, {})
        elif body == b"own 404":
            self.answer(404, {"says": "the model"})
        else:
            target = self.headers["X-Amzn-SageMaker-Target-Model"]
            self.answer(200, [loaded[self.name], target, sorted(loaded.values()), writable()])

    def load(self, model_name, url):
        if model_name in loaded:
            self.answer(409, {})
        elif len(loaded) == ROOM:
            self.answer(507, {})
        else:
            loaded[model_name] = pathlib.Path(url, "text").read_text()
            self.answer(200, {})

    def log_message(self, *_):
        pass

def writable():
    try:
        os.symlink("/etc", "/opt/ml/models/link")
    except OSError:
        return False
    return True

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""
