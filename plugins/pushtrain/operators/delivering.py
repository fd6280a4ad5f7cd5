"""Hands the mails that wait in the store to the SMTP server."""

from __future__ import annotations

import contextlib
import functools
import logging
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.sdk.exceptions import AirflowNotFoundException

from pushtrain import settings
from pushtrain.adapters.outbox import MailRefusedError, outbox_of
from pushtrain.adapters.store import Store
from pushtrain.settings import Settings

log = logging.getLogger(__name__)

_LONGEST_SECONDS = 10
_FOR_GOOD = 500  # SMTP's codes from here on: the same mail would be refused again


class BriefSmtpHook(SmtpHook):
    """Gives a server that does not answer seconds, not minutes: the monitor waits for it.

    The connection's own time-out counts where it is shorter.
    """

    @property
    def timeout(self) -> int:
        """Seconds for each answer of the server."""
        return min(super().timeout, _LONGEST_SECONDS)

    @property
    def smtp_retry_limit(self) -> int:
        """Tries to connect again at once: none, the mail comes again in a minute."""
        return 0


def has_server(config: Settings) -> bool:
    """Tell whether there is an SMTP connection: without one nobody wants mails."""
    try:
        SmtpHook.get_connection(config.smtp_conn_id)
    except AirflowNotFoundException:
        return False
    return True


def deliver(config: Settings, store: Store) -> int:
    """Send what waits and return how many mails went out.

    A server that does not answer fails nothing: a mail is not worth a training. What could not
    be sent waits, and the monitor tries again.
    """
    outbox = outbox_of(store)
    if not outbox.waiting():
        return 0
    sent: list[str] = []
    try:
        with contextlib.ExitStack() as line:

            @functools.cache
            def connected() -> SmtpHook:
                return line.enter_context(BriefSmtpHook(smtp_conn_id=config.smtp_conn_id))

            def send(mail: EmailMessage) -> None:
                # not before: a server that can not be reached has to count as tried
                hook = connected()
                mail["From"] = hook.from_email or "pushtrain@localhost"
                # Airflow's hook builds HTML mails only: no text part, no thread
                with _refusals():
                    hook._smtp_client.send_message(mail)  # type: ignore[union-attr]  # connected
                sent.append(str(mail["Subject"]))

            outbox.flush(send)
    except AirflowNotFoundException:
        log.info("no connection %r, so no mail", config.smtp_conn_id)
    except Exception as err:  # the edge to a mail server: whatever it is, the loop goes on
        log.warning("mail not sent, it waits (%s: %s)", type(err).__name__, err)
    for subject in sent:
        log.info("mailed: %s", subject)
    return len(sent)


@contextmanager
def _refusals() -> Iterator[None]:
    """Tell a server that refuses one mail from one that takes none."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as err:
        codes = [code for code, _ in err.recipients.values()]
        raise MailRefusedError(str(err), for_good=all(c >= _FOR_GOOD for c in codes)) from err
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as err:
        raise MailRefusedError(str(err), for_good=err.smtp_code >= _FOR_GOOD) from err


def send_mails() -> int:
    """Send what waits: the monitor's task."""
    config = settings.load()
    return deliver(config, Store(config.store_path))
