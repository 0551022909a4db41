"""A server that answers as the Hugging Face Hub does where runs are pushed and pulled; it keeps all in memory."""

import base64
import contextlib
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


class Hub(ThreadingHTTPServer):
    """`repositories` holds the files of each, by name; a commit is a hash of these, and only the newest is known."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories, self.asked = {}, []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def commit_of(self, repository):
        files = sorted((name, hashlib.sha1(data).hexdigest()) for name, data in self.repositories[repository].items())
        return hashlib.sha1(repr(files).encode()).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, value=None, status=200, data=b"", **headers):
        data = data if value is None else json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def missing(self, code):
        self.answer({"error": "not there"}, 404, X_Error_Code=code)

    def do_POST(self):
        self.server.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/api/repos/create":
            asked = json.loads(body)
            repository = f"{asked['organization']}/{asked['name']}"
            there = repository in self.server.repositories
            self.server.repositories.setdefault(repository, {})
            return self.answer({"url": f"{self.server.url}/{repository}"}, 409 if there else 200)
        if self.path == "/api/validate-yaml":  # the head of README.md
            return self.answer({"errors": [], "warnings": []})
        *_, user, name, verb, _ = urlsplit(self.path).path.split("/")
        files = self.server.repositories[f"{user}/{name}"]
        if verb == "preupload":
            paths = [file["path"] for file in json.loads(body)["files"]]
            return self.answer({"files": [{"path": p, "uploadMode": "regular", "shouldIgnore": False} for p in paths]})
        for line in map(json.loads, body.decode().splitlines()):
            if line["key"] == "file":
                files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            elif line["key"] == "deletedFile":
                del files[line["value"]["path"]]
        commit = self.server.commit_of(f"{user}/{name}")
        return self.answer({"commitUrl": f"{self.server.url}/{user}/{name}/commit/{commit}", "commitOid": commit})

    def do_GET(self):
        self.server.asked.append(self.path)
        path = urlsplit(self.path).path
        of_api = path.startswith("/api/models/")
        user, name, *rest = path.removeprefix("/api/models/" if of_api else "/").split("/")
        repository = f"{user}/{name}"
        if repository not in self.server.repositories:
            return self.missing("RepoNotFound")
        files, commit = self.server.repositories[repository], self.server.commit_of(repository)
        if len(rest) > 1 and unquote(rest[1]) not in ("main", commit):
            return self.missing("RevisionNotFound")
        if of_api:
            siblings = [{"rfilename": file, "size": len(data)} for file, data in files.items()]
            return self.answer({"id": repository, "sha": commit, "siblings": siblings})
        data = files.get(unquote("/".join(rest[2:])))
        if data is None:
            return self.missing("EntryNotFound")
        return self.answer(data=data, X_Repo_Commit=commit, ETag=f'"{hashlib.sha1(data).hexdigest()}"')

    do_HEAD = do_GET


@contextlib.contextmanager
def serving():
    with Hub() as hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()
