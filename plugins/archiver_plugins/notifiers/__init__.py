"""Who is told of a run: a web address (`webhook`), mailboxes (`mail`), the page of a job (`github-summary`).

Each module holds one notifier with its options; `signing` is what a webhook's receiver has to check.
"""

from collections.abc import Sequence
from typing import Any

from archiver import api
from archiver_plugins.notifiers.mail import MailNotifier, MailOptions
from archiver_plugins.notifiers.summary import SummaryNotifier, SummaryOptions
from archiver_plugins.notifiers.webhook import WebhookNotifier, WebhookOptions

__all__ = [
    "MailNotifier",
    "MailOptions",
    "SummaryNotifier",
    "SummaryOptions",
    "WebhookNotifier",
    "WebhookOptions",
    "archiver_notifiers",
]


@api.hookimpl
def archiver_notifiers() -> Sequence[type[api.Notifier[Any]]]:
    """Announce the notifiers."""
    return [WebhookNotifier, MailNotifier, SummaryNotifier]
