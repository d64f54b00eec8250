"""The schemes by name, and what the rest of the system needs to know of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel

from producers.webhooks.verification import (
    github,
    hmac_generic,
    password,
    shopify,
    slack,
    standard_webhooks,
    stripe,
)
from producers.webhooks.verification.hmac_generic import HmacOptions
from producers.webhooks.verification.password import PasswordOptions
from producers.webhooks.verification.signature import text_secret_error, text_secret_warning
from producers.webhooks.verification.verdict import Sign, Verify
from schemas.webhooks import FORM, JSON

SchemeName = Literal[
    "standard_webhooks", "github", "stripe", "shopify", "slack", "hmac", "password"
]
JSON_ONLY = frozenset({JSON})
JSON_OR_FORM = frozenset({JSON, FORM})
Options = TypeVar("Options", bound=BaseModel | None)


def _no_warning(_secret: str) -> None:
    return None


@dataclass(
    frozen=True, kw_only=True
)  # no slots: with them, Python 3.11 cannot make a frozen generic
class Scheme(Generic[Options]):
    """One way to prove who sent a request.

    `options` is the model of a source's options, None where there are none. `warn_secret` says what
    is weak about a secret that `check_secret` accepts. `kept_secret` makes of a secret what is
    stored and handed to the verifier. `sender_makes_secret`: the provider hands the secret out, a
    generated one serves to send as it. `kept_headers` are worth keeping with a request; no
    signature and no password is among them.
    """

    options: type[BaseModel] | None = None
    verifier: Callable[[Options], Verify]
    signer: Callable[[Options], Sign]
    generate_secret: Callable[[bytes], str]
    check_secret: Callable[[str], str | None]
    warn_secret: Callable[[str], str | None] = _no_warning
    kept_secret: Callable[[str], str] = str
    sender_makes_secret: bool = False
    content_types: frozenset[str] = JSON_ONLY
    kept_headers: Callable[[Options], tuple[str, ...]]

    def accepts(self, content_type: str) -> bool:
        """Whether a body of this type (lower case, without parameters) is taken; any `+json` is."""
        return content_type in self.content_types or content_type.endswith("+json")


def _hexadecimal(randomness: bytes) -> str:
    return randomness.hex()


BY_NAME: Mapping[SchemeName, Scheme[Any]] = {
    "standard_webhooks": Scheme[None](
        verifier=lambda _: standard_webhooks.verify,
        signer=lambda _: standard_webhooks.sign,
        generate_secret=standard_webhooks.secret_from,
        check_secret=standard_webhooks.secret_error,
        kept_headers=lambda _: standard_webhooks.KEPT_HEADERS,
    ),
    "github": Scheme[None](
        verifier=lambda _: github.verify,
        signer=lambda _: github.sign,
        generate_secret=_hexadecimal,
        check_secret=text_secret_error,
        warn_secret=text_secret_warning,
        content_types=JSON_OR_FORM,
        kept_headers=lambda _: github.KEPT_HEADERS,
    ),
    "stripe": Scheme[None](
        verifier=lambda _: stripe.verify,
        signer=lambda _: stripe.sign,
        generate_secret=lambda randomness: stripe.SECRET_PREFIX + _hexadecimal(randomness),
        check_secret=stripe.secret_error,
        warn_secret=stripe.secret_warning,
        sender_makes_secret=True,
        kept_headers=lambda _: stripe.KEPT_HEADERS,
    ),
    "shopify": Scheme[None](
        verifier=lambda _: shopify.verify,
        signer=lambda _: shopify.sign,
        generate_secret=_hexadecimal,
        check_secret=text_secret_error,
        warn_secret=text_secret_warning,
        sender_makes_secret=True,
        kept_headers=lambda _: shopify.KEPT_HEADERS,
    ),
    "slack": Scheme[None](
        verifier=lambda _: slack.verify,
        signer=lambda _: slack.sign,
        generate_secret=_hexadecimal,
        check_secret=text_secret_error,
        warn_secret=text_secret_warning,
        sender_makes_secret=True,
        content_types=JSON_OR_FORM,
        kept_headers=lambda _: slack.KEPT_HEADERS,
    ),
    "hmac": Scheme[HmacOptions](
        options=HmacOptions,
        verifier=hmac_generic.verifier,
        signer=hmac_generic.signer,
        generate_secret=_hexadecimal,
        check_secret=text_secret_error,
        warn_secret=text_secret_warning,
        content_types=JSON_OR_FORM,
        kept_headers=hmac_generic.kept_headers,
    ),
    "password": Scheme[PasswordOptions](
        options=PasswordOptions,
        verifier=password.verifier,
        signer=password.signer,
        generate_secret=password.secret_from,
        check_secret=password.secret_error,
        kept_secret=password.kept,
        content_types=JSON_OR_FORM,
        kept_headers=password.kept_headers,
    ),
}


def options_of(scheme: SchemeName, given: Mapping[str, Any]) -> BaseModel | None:
    """A source's options for its scheme, checked.

    Raises ValueError (pydantic's, where there is a model).
    """
    model = BY_NAME[scheme].options
    if model is not None:
        return model.model_validate(given)
    if given:
        raise ValueError(f"the scheme {scheme} has no options")
    return None
