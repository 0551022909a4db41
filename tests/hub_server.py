"""A server that answers as the Hugging Face Hub does where runs are pushed and pulled; it keeps all in memory."""

import base64
import contextlib
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit


class Hub(ThreadingHTTPServer):
    """`repositories` holds the files of each, by name; data sets are called `datasets/user/name`.

    A commit is a hash of these, and only the newest is known.
    """

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

    def asked_for(self):
        """The repository of a path, and the parts that follow."""
        parts = urlsplit(self.path).path.removeprefix("/api").removeprefix("/models").strip("/").split("/")
        length = 3 if parts[0] == "datasets" else 2
        return "/".join(parts[:length]), parts[length:]

    def told(self, files, name):
        return {"type": "file", "path": name, "size": len(files[name]), "oid": hashlib.sha1(files[name]).hexdigest()}

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
        repository, (verb, *_) = self.asked_for()
        files = self.server.repositories[repository]
        if verb == "paths-info":
            asked = parse_qs(body.decode())["paths"]
            return self.answer([self.told(files, name) for name in asked if name in files])
        if verb == "preupload":
            paths = [file["path"] for file in json.loads(body)["files"]]
            return self.answer({"files": [{"path": p, "uploadMode": "regular", "shouldIgnore": False} for p in paths]})
        for line in map(json.loads, body.decode().splitlines()):
            if line["key"] == "file":
                files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            elif line["key"] == "deletedFile":
                del files[line["value"]["path"]]
        commit = self.server.commit_of(repository)
        return self.answer({"commitUrl": f"{self.server.url}/{repository}/commit/{commit}", "commitOid": commit})

    def do_GET(self):
        self.server.asked.append(self.path)
        repository, rest = self.asked_for()
        if repository not in self.server.repositories:
            return self.missing("RepoNotFound")
        files, commit = self.server.repositories[repository], self.server.commit_of(repository)
        if len(rest) > 1 and unquote(rest[1]) not in ("main", commit):
            return self.missing("RevisionNotFound")
        if not rest or rest[0] == "revision":
            siblings = [{"rfilename": file, "size": len(data)} for file, data in files.items()]
            return self.answer({"id": repository.removeprefix("datasets/"), "sha": commit, "siblings": siblings})
        if rest[0] == "tree":
            inside = "".join(f"{unquote(part)}/" for part in rest[2:])
            below = [name.removeprefix(inside) for name in files if name.startswith(inside)]
            folders = {name.split("/")[0] for name in below if "/" in name}
            if "recursive=true" in self.path:
                return self.answer([self.told(files, inside + name) for name in below])
            told = [{"type": "directory", "path": inside + name, "oid": name} for name in sorted(folders)]
            return self.answer([*told, *(self.told(files, inside + name) for name in below if "/" not in name)])
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
