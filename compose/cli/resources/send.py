"""`headrace send`: a signed webhook from a terminal."""

import json
import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from compose.cli.resources.inputs import body_of, is_id, parsed_options, secret_of

EPILOG = """
[cyan]headrace send --source shop --secret whsec_… --data '{"order": 7}'[/]

[cyan]headrace send --source shop --scheme github --secret @secret.txt push.json[/]

[cyan]headrace send --source shop --scheme hmac --option header=x-signature --secret … body.json[/]

[cyan]headrace send --source shop --secret @secret.txt body.json --repeat 3[/]  the same three times: two are duplicates

[cyan]make-body | headrace send --source shop --secret whsec_… --repeat 500 --new-ids --rate 50 -[/]
"""
SCHEMES = "standard_webhooks, github, stripe, shopify, slack, hmac or password; as the source's."


def register(app: typer.Typer) -> None:

    @app.command(epilog=EPILOG)
    def send(
        source: Annotated[
            str, typer.Option(help="The source's id, or its name where there is an API key.")
        ],
        secret: Annotated[str, typer.Option(help="The source's secret, or @FILE that holds it.")],
        file: Annotated[str | None, typer.Argument(help="The body; - is standard input.")] = None,
        data: Annotated[str | None, typer.Option(help="The body itself.")] = None,
        scheme: Annotated[str, typer.Option(help=SCHEMES)] = "standard_webhooks",
        option: Annotated[
            list[str] | None, typer.Option(help="The source's options, as name=value; repeatable.")
        ] = None,
        message_id: Annotated[
            str | None,
            typer.Option(
                "--id", help="The delivery's id where it is a header; a new one if left out."
            ),
        ] = None,
        repeat: Annotated[int, typer.Option(min=1, help="Send it so many times.")] = 1,
        new_ids: Annotated[
            bool, typer.Option("--new-ids", help="Each time with another id.")
        ] = False,
        rate: Annotated[
            float | None, typer.Option(min=0.01, help="So many a second; else one after another.")
        ] = None,
        content_type: Annotated[
            str, typer.Option(help="The body's media type.")
        ] = "application/json",
        as_json: Annotated[
            bool, typer.Option("--json", help="Each answer as one line of JSON.")
        ] = False,
    ) -> None:
        """Send a webhook, signed as the source's provider signs.

        Prints each answer. The same id is one event, however often it is sent; Stripe and Slack
        have it in the body.
        """
        import uuid
        from datetime import UTC, datetime

        from compose.cli.client import Client, checked, connected
        from compose.cli.connection import reachable

        sign = _signer(scheme, parsed_options(option or []))
        body, key = body_of(file, data), secret_of(secret)
        if not is_id(source):
            with connected() as keyed:
                source = keyed.source(source)
        message = message_id or f"msg_{uuid.uuid4().hex}"
        with Client(reachable().api_url, None) as api:
            for place in _paced(repeat, rate):
                name = f"{message}_{place}" if new_ids else message
                try:
                    headers = sign(body, key, message_id=name, now=datetime.now(UTC))
                except ValueError as error:
                    raise typer.BadParameter(str(error), param_hint="--secret") from None
                answer = api.deliver(
                    f"/hooks/{source}", body, {**headers, "content-type": content_type}
                )
                if answer.headers.get("content-type") == "text/plain":
                    typer.echo(answer.text)  # a provider's challenge
                else:
                    _tell(checked(answer), as_json)


def _signer(scheme: str, options: dict[str, Any]) -> Any:
    from producers.webhooks.verification.schemes import BY_NAME, options_of

    known = {str(name): (name, one) for name, one in BY_NAME.items()}.get(scheme)
    if known is None:
        raise typer.BadParameter(
            f"{scheme!r} is none of {', '.join(BY_NAME)}", param_hint="--scheme"
        )
    try:
        return known[1].signer(options_of(known[0], options))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--option") from None


def _paced(times: int, rate: float | None) -> Iterator[int]:
    """0, 1, 2 … at the rate, kept on average: what came late is made up for."""
    began = time.monotonic()
    for place in range(times):
        if rate is not None:
            time.sleep(max(0.0, began + place / rate - time.monotonic()))
        yield place


def _tell(answer: dict[str, Any], as_json: bool) -> None:
    from compose.cli.output import terminal

    if as_json:
        print(json.dumps(answer))
        return
    note = "  [yellow]duplicate[/]" if answer["duplicate"] else "  [green]new[/]"
    if answer.get("body_mismatch"):
        note += "  [red]another body came under this id before; that one counts[/]"
    terminal().print(f"event {answer['event_id']}  request {answer['request_id']}{note}")
