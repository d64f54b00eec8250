"""`headrace send`: a signed webhook from a terminal."""

import json
import sys
from pathlib import Path
from typing import Annotated, TextIO

import typer

from compose.cli.failure import Failure

EPILOG = """
[cyan]headrace send --source ID --secret whsec_… --data '{"order": 7}'[/]

[cyan]headrace send --source ID --secret @secret.txt body.json --repeat 3[/]  the same three times: two are duplicates

[cyan]make-body | headrace send --source ID --secret whsec_… -[/]
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=EPILOG)
    def send(
        source: Annotated[str, typer.Option(help="The source's id.")],
        secret: Annotated[str, typer.Option(help="The source's secret, or @FILE that holds it.")],
        file: Annotated[str | None, typer.Argument(help="The body; - is standard input.")] = None,
        data: Annotated[str | None, typer.Option(help="The body itself.")] = None,
        message_id: Annotated[str | None, typer.Option("--id", help="The webhook's id; a new one if left out.")] = None,
        repeat: Annotated[int, typer.Option(min=1, help="Send it so many times, under one id.")] = 1,
        as_json: Annotated[bool, typer.Option("--json", help="Each answer as one line of JSON.")] = False,
    ) -> None:
        """Send a webhook, signed as Standard Webhooks.

        Prints each answer. The same id is one event, however often it is sent.
        """
        import uuid
        from datetime import UTC, datetime

        from compose.cli.client import Client, checked
        from compose.cli.connection import find, settings_of
        from compose.cli.output import terminal
        from producers.webhooks.verification.standard_webhooks import sign

        body = body_of(file, data)
        key = _secret(secret)
        message = message_id or f"msg_{uuid.uuid4().hex}"
        with Client(find(settings_of(None)).api_url, None) as api:
            for _ in range(repeat):
                try:
                    headers = sign(body, key, message_id=message, now=datetime.now(UTC))
                except ValueError as error:
                    raise typer.BadParameter(str(error), param_hint="--secret") from None
                answer = checked(api.deliver(f"/hooks/{source}", body, headers))
                if as_json:
                    print(json.dumps(answer))
                    continue
                note = "  [yellow]duplicate[/]" if answer["duplicate"] else "  [green]new[/]"
                if answer.get("body_mismatch"):
                    note += "  [red]another body came under this id before; that one counts[/]"
                terminal().print(f"event {answer['event_id']}  request {answer['request_id']}{note}")


def body_of(file: str | None, data: str | None, stdin: TextIO | None = None) -> bytes:
    """The body from where the caller has it; standard input only when it is not a keyboard."""
    piped = sys.stdin if stdin is None else stdin
    if (file is None) == (data is None) and not (file is None and not piped.isatty()):
        raise typer.BadParameter("give the body once: as a FILE, as - for standard input, or with --data")
    if data is not None:
        return data.encode()
    if file is None or file == "-":
        return piped.buffer.read()
    return _read(file)


def _secret(given: str) -> str:
    return _read(given[1:]).decode("utf-8", "replace").strip() if given.startswith("@") else given


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}") from None
