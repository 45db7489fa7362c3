"""A real Dovecot for tests: started on free loopback ports, with its own directory, and stopped by its id.

Needs the programs of the Debian package dovecot-imapd. Every user exists and has the password "secret".
"""

from __future__ import annotations

import imaplib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

PASSWORD = "secret"

_CONFIG = """
base_dir = {dir}/run
state_dir = {dir}/run
log_path = {dir}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = {ssl}
disable_plaintext_auth = no
auth_mechanisms = plain login {mechanisms}
auth_failure_delay = 0
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
mail_location = maildir:{dir}/mail/%u
mail_uid = {user}
mail_gid = {group}
mail_max_userip_connections = 100
{auth}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={dir}/home/%u allow_all_users=yes
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Trash {{
    special_use = \\Trash
    auto = create
  }}
}}
"""

_OAUTH = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {dir}/oauth2.conf
}}
"""


class Dovecot:
    """A server that runs between `start` and `stop`.

    `tokens` is the address of an endpoint that says whose an access token is; with it XOAUTH2 is
    offered. `tls` makes a certificate for "localhost", at `certificate`, and listens on `tls_port` too.
    """

    def __init__(self, *, tokens: str = "", tls: bool = False) -> None:
        self._tokens = tokens
        self._tls = tls
        self._process: subprocess.Popen[bytes] | None = None
        self.dir = Path(tempfile.mkdtemp(prefix="dovecot-"))
        self.port, tls_port = _free_ports(2)
        self.tls_port = tls_port if tls else 0
        self.certificate = self.dir / "certificate.pem"

    def start(self) -> Self:
        """Start it and wait until it greets. Raises `RuntimeError` when it does not, or is not installed."""
        program = shutil.which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        if program is None:
            raise RuntimeError("these tests need Dovecot: apt-get install dovecot-imapd")
        user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self._write_files(user)
        command = [program, "-F", "-c", str(self.dir / "dovecot.conf")]
        ids = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **ids)  # type: ignore[call-overload]  # a dictionary of its options
        self._wait()
        return self

    def stop(self) -> None:
        """End it and remove its directory."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def login(self, user: str) -> imaplib.IMAP4:
        """Give a client of the standard library, logged in, to prepare mailboxes and look at flags."""
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=30)
        client.login(user, PASSWORD)
        return client

    def put(self, user: str, messages: Sequence[bytes], mailbox: str = "INBOX") -> None:
        """Append messages as they are, with CR LF as line ends."""
        with self.login(user) as client:
            mailbox = f'"{mailbox}"'
            client.create(mailbox)
            for message in messages:
                wire = message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
                status, data = client.append(mailbox, "", "", wire)
                assert status == "OK", data

    def _write_files(self, user: pwd.struct_passwd) -> None:
        group = _group(user.pw_gid)
        for name in ("run", "mail", "home"):
            (self.dir / name).mkdir(exist_ok=True)
        auth = _OAUTH.format(dir=self.dir) if self._tokens else ""
        ssl = "yes\n" + self._make_certificate() if self._tls else "no"
        text = _CONFIG.format(
            dir=self.dir,
            user=user.pw_name,
            group=group,
            port=self.port,
            tls_port=self.tls_port,
            password=PASSWORD,
            auth=auth,
            ssl=ssl,
            mechanisms="xoauth2 oauthbearer" if self._tokens else "",
        )
        (self.dir / "dovecot.conf").write_text(text)
        oauth = f"tokeninfo_url = {self._tokens}\nusername_attribute = email\n"
        (self.dir / "oauth2.conf").write_text(oauth)
        if os.geteuid() == 0:
            for path in (self.dir, *self.dir.rglob("*")):
                os.chown(path, user.pw_uid, user.pw_gid)

    def _make_certificate(self) -> str:
        key = self.dir / "key.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        files = ["-keyout", str(key), "-out", str(self.certificate)]
        subprocess.run([*command, *names, *files], check=True, capture_output=True)
        return f"ssl_cert = <{self.certificate}\nssl_key = <{key}"

    def _wait(self) -> None:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            assert self._process is not None
            if self._process.poll() is not None:
                break
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as greeting:
                    if greeting.recv(4) == b"* OK":
                        return
            except OSError:
                time.sleep(0.05)
        log = self.dir / "dovecot.log"
        told = log.read_text(errors="replace") if log.exists() else "it wrote no log"
        self.stop()
        raise RuntimeError(f"Dovecot did not start: {told[-2000:]}")


def _group(gid: int) -> str:
    import grp

    return grp.getgrgid(gid).gr_name


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
