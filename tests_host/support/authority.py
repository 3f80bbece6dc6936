"""Certificates for tests, made with openssl."""

import subprocess

from tools.system import command

CA_CONF = """\
[ca]
default_ca = it
[it]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = policy
[policy]
commonName = supplied
"""


class Authority:
    """A certificate authority made with openssl: `certificate(name)` is a PEM file with key; `name`.der its own."""

    def __init__(self, folder, name="ca"):
        self.folder = folder
        self.name = name
        self._openssl = command("openssl")
        folder.mkdir(exist_ok=True)
        (folder / "index.txt").write_text("")
        (folder / "index.txt.attr").write_text("unique_subject = no\n")
        (folder / "serial").write_text("01\n")
        (folder / "ca.conf").write_text(CA_CONF)
        self._key(name)
        self._run("req -new -x509 -days 30 -subj /CN=%s -key %s.key -out %s.pem" % (name, name, name))
        self._run("x509 -in %s.pem -outform DER -out %s.der" % (name, name))

    def _run(self, line):
        subprocess.run([*self._openssl, *line.split()], cwd=self.folder, check=True, capture_output=True)

    def _key(self, name):
        self._run("ecparam -name prime256v1 -genkey -noout -out %s.key" % name)

    def certificate(self, host, first="20200101000000Z", last="20490101000000Z"):
        """The path of a certificate for `host` with its key."""
        self._key(host)
        self._run("req -new -subj /CN=%s -key %s.key -out %s.csr" % (host, host, host))
        (self.folder / (host + ".conf")).write_text("subjectAltName = DNS:%s\n" % host)
        self._run(
            "ca -batch -notext -config ca.conf -cert %s.pem -keyfile %s.key -startdate %s -enddate %s -extfile %s.conf "
            "-in %s.csr -out %s.pem" % (self.name, self.name, first, last, host, host, host)
        )
        with open(self.folder / (host + ".pem"), "a") as f:
            f.write((self.folder / (host + ".key")).read_text())
        return self.folder / (host + ".pem")
