"""The application: its OpenAPI document has the model that a route declares for an answer."""

from typing import Any

from fastapi import FastAPI


class Documented(FastAPI):
    """FastAPI whose routes answer dicts: the models that they declare are for the document."""

    def openapi(self) -> dict[str, Any]:
        """Return the document, in which a declared model has lost the type of the dict."""
        if self.openapi_schema is None:
            for path in super().openapi()["paths"].values():
                for operation in path.values():
                    for answer in operation["responses"].values():
                        _only_the_model(answer.get("content", {}))
        return self.openapi_schema or {}


def _only_the_model(content: dict[str, dict[str, Any]]) -> None:
    for media in content.values():
        if "$ref" in media.get("schema", {}):
            media["schema"] = {"$ref": media["schema"]["$ref"]}
