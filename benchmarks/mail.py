"""Archive the attachments of a mailbox; compare with a plain imaplib loop that saves the messages.

    python benchmarks/mail.py [--messages N] [--decks] [--rounds N] [--distance MS] [--dir DIRECTORY]

Dovecot serves messages with a photo of 300 kB each; with --decks every tenth carries a deck of 3 MB and the
others nothing, as in the inbox of an organizer. The archive's side finds what is material, fetches,
decodes, hashes and looks into every attachment, syncs and commits. The loop fetches each message whole, as
it is, and writes it to a file; then `sha256sum` reads all of them. A second run of the archive shows what a
night without mail costs. With a distance both ask a server whose answers take so long for the way, as that of
a mail provider does (20 to 50 ms). Needs Dovecot.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import children
import world
from children import Cost
from distance import far_away

sys.path.append(str(Path(__file__).parents[1] / "tests" / "plugins"))
from dovecot import PASSWORD, Dovecot

USER = "tour"
_DECK_PAGES = 29  # 3 MB
OURS, PLAIN = "archive run, proven and committed", "imaplib loop, then sha256sum"
_CONFIG = """
archive: {{title: Benchmark, site: false}}
sinks: {{local: {{type: disk, path: ./archive}}}}
sources:
  inbox: {{type: email, imap: "127.0.0.1:{port}", username: {user}, password: {password}, tls: none}}
events:
  - {{id: tour, title: A tour, sources: [{{use: inbox}}]}}
"""
_LOOP = """
import imaplib, pathlib
client = imaplib.IMAP4("127.0.0.1", {port})
client.login("{user}", "{password}")
client.select("INBOX", readonly=True)
for number in client.uid("SEARCH", "ALL")[1][0].split():
    answer = client.uid("FETCH", number, "(BODY.PEEK[])")[1]
    pathlib.Path(number.decode() + ".eml").write_bytes(answer[0][1])
client.logout()
"""


def with_photos(count: int) -> Iterator[bytes]:
    """Make messages with a photo each, no two alike."""
    pictures = [world.picture(1280, 800, 76 + number, number) for number in range(8)]
    for number in range(count):
        message = _message(number, f"Photo {number}", "The photo is attached.\n")
        photo = world.marked(pictures[number % 8], number)
        message.add_attachment(photo, "image", "jpeg", filename=f"photo-{number}.jpg")
        yield message.as_bytes()


def with_decks(count: int) -> Iterator[bytes]:
    """Make messages of which every tenth carries a deck, no two alike."""
    slides = [world.picture(960, 540, 70, 100 + number) for number in range(8)]
    for number in range(count):
        message = _message(number, f"Message {number}", "Is the room booked?\nThe projector works.\n" * 20)
        if number % 10 == 0:
            deck = world.deck(slides, number, _DECK_PAGES)
            message.add_attachment(deck, "application", "pdf", filename=f"slides-{number}.pdf")
        yield message.as_bytes()


def _message(number: int, subject: str, text: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = f"Speaker {number} <s{number}@mail.example>", "tour@cosug.example"
    message["Subject"], message["Message-ID"] = subject, f"<{number}@mail.example>"
    message["Date"] = "Mon, 17 Sep 2012 10:00:00 +0800"
    message.set_content(text)
    return message


def measure(folder: Path, port: int, rounds: int) -> dict[str, list[Cost]]:
    """Run both in turns, and the archive's side a second time in the same place."""
    names = {"port": port, "user": USER, "password": PASSWORD}
    archive = [str(Path(sys.executable).with_name("archive")), "run", "-c", "archive.yaml"]
    loop = [sys.executable, "-c", _LOOP.format(**names)]
    plain = ["/bin/sh", "-ec", '"$0" "$@" && sha256sum *.eml > sums', *loop]
    costs: dict[str, list[Cost]] = {OURS: [], PLAIN: [], "archive run, nothing new": []}
    for turn in range(rounds):
        for name in (OURS, PLAIN) if turn % 2 else (PLAIN, OURS):
            target = Path(tempfile.mkdtemp(dir=folder, prefix="target-"))
            (target / "archive.yaml").write_text(_CONFIG.format(**names))
            costs[name].append(children.run(archive if name == OURS else plain, target))
            if name == OURS:
                costs["archive run, nothing new"].append(children.run(archive, target))
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--messages", type=int, default=100)
    parser.add_argument("--decks", action="store_true", help="decks in every tenth, no photos")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--dir", type=Path, help="where to put them; a temporary directory by default")
    parser.add_argument("--distance", type=float, help="milliseconds to the server and back; none by default")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.dir, prefix="bench-") as made, Dovecot() as server:
        letters = list((with_decks if args.decks else with_photos)(args.messages))
        server.put(USER, letters)
        print(f"{len(letters)} messages, {sum(map(len, letters)) / 1e6:,.0f} MB, {args.rounds} rounds")
        del letters
        with far_away(server.port, args.distance) if args.distance else nullcontext(server.port) as port:
            costs = measure(Path(made), port, args.rounds)
    ours = children.median(costs[OURS])
    for name, runs in costs.items():
        cost = children.median(runs)
        print(
            f"{name:36} {cost.wall:7.2f} s {cost.wall / ours.wall:6.2f} of ours, "
            f"CPU {cost.cpu:6.2f} s, {cost.memory:4.0f} MB"
        )


if __name__ == "__main__":
    main()
