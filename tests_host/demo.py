"""The main job with no hardware: a program downloads a file over real TCP through a virtual module."""

import argparse
import hashlib
import http.server
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.append(str(HERE / "support"))

import families  # noqa: E402, F401  (it puts the virtual modem on the path)
from sim.families import find  # noqa: E402

SIZE = 100_000
BAUD = 115200


def serve(data: bytes, cut: "int | None"):
    """A real HTTP server on loopback; `cut`: it drops the connection after so many bytes."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.clients.append(self.client_address)
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[:cut])

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.clients = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def start_module(folder: Path, port: int, options) -> subprocess.Popen:
    """The virtual module as a program, switched off, on a pseudo-terminal."""
    command = [sys.executable, "-m", "sim", "--family", options.family, "--baud", str(options.baud), "--off", "--quiet"]
    command += ["--link", str(folder / "modem"), "--control", str(folder / "control")]
    command += ["--map", f"files.example:80=127.0.0.1:{port}"]
    module = subprocess.Popen(command, cwd=HERE, stdout=subprocess.DEVNULL)
    for _ in range(200):
        if (folder / "modem").exists() and (folder / "control").exists():
            return module
        if module.poll() is not None:
            break
        time.sleep(0.05)
    module.kill()
    raise SystemExit("the virtual module did not start")


def program(options, folder: Path) -> "tuple[list, dict]":
    """The command that runs demo_main.py as a board would, and its environment."""
    board = "import virtual\n\n\ndef modem():\n    return virtual.modem(%r)\n" % options.family.upper()
    (folder / "board.py").write_text(board)
    env = {**os.environ, "SIMCOM_TTY": str(folder / "modem"), "SIMCOM_CONTROL": str(folder / "control")}
    path = [str(folder), *(str(HERE.parent / name) for name in ("lib", "boards"))]
    main = str(HERE / "demo_main.py")
    if options.python == "cpython":
        env["PYTHONPATH"] = os.pathsep.join([*path, str(HERE)])
        code = f"import shim, runpy; shim.install(real=True); runpy.run_path({main!r}, run_name='__main__')"
        return [sys.executable, "-u", "-c", code], env
    from tools.system import micropython_command

    env["MICROPYPATH"] = ":".join([*path, ".frozen"])
    return [*micropython_command(), main], env


def run(options, folder: Path) -> int:
    data = random.Random(time.time()).randbytes(SIZE)
    server = serve(data, options.cut)
    where = f"virtual {options.family.upper()}, {options.baud} baud, on {folder / 'modem'}"
    print(f"HTTP server on 127.0.0.1:{server.server_port}; {where}")
    module = start_module(folder, server.server_port, options)
    result = None
    try:
        command, env = program(options, folder)
        print(f"{options.python} runs {Path('tests_host/demo_main.py')}", flush=True)
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as child:
            for piece in iter(lambda: os.read(child.stdout.fileno(), 4096), b""):
                for line in piece.splitlines(keepends=True):
                    if line.startswith(b"RESULT "):
                        result = line.split()
                    else:
                        sys.stdout.buffer.write(line)
                        sys.stdout.flush()
    finally:
        module.terminate()
        module.wait()
        server.shutdown()
    if child.returncode or not result:
        print(f"DEMO FAILED: the program ended with status {child.returncode}")
        return 1
    received, took, heap, digest = int(result[1]), float(result[2]), int(result[3]), result[4].decode()
    if received != SIZE or digest != hashlib.sha256(data).hexdigest() or len(server.clients) != 1:
        print(f"DEMO FAILED: {received} bytes, SHA-256 {digest}, {len(server.clients)} connections")
        return 1
    share = 100 * received / took / (options.baud / 10)
    print(f"{received} bytes in {took:.1f} s, {share:.0f} % of what {options.baud} baud can carry")
    print(f"heap used: {heap} bytes" if heap else "heap used: only MicroPython tells")
    print(f"SHA-256 {digest}: as served")
    return 0


def family(name: str) -> str:
    """The family that somebody means."""
    try:
        return find(name)[0]
    except ValueError as e:
        raise argparse.ArgumentTypeError(e) from None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", choices=["micropython", "cpython"], default="micropython")
    parser.add_argument("--family", type=family, default="sim7000", help="a family or a model, in any spelling")
    parser.add_argument("--baud", type=int, default=BAUD)
    parser.add_argument("--cut", type=int, help="the server drops the connection after so many bytes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(run(options, Path(folder)))


if __name__ == "__main__":
    main()
