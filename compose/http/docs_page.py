"""The page /docs: Swagger UI from files of an installed package, so that it needs no other
server.
"""

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse

FILES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
A_DAY = {"Cache-Control": "public, max-age=86400"}


def docs_page(title: str) -> APIRouter:
    """The page and what it loads.

    Every address in it is relative, so that a proxy may put a path before it.
    """
    router = APIRouter(include_in_schema=False)
    page = get_swagger_ui_html(
        openapi_url="openapi.json",
        title=title,
        swagger_js_url="docs/swagger-ui-bundle.js",
        swagger_css_url="docs/swagger-ui.css",
        swagger_favicon_url="docs/favicon-32x32.png",
    )

    @router.get("/docs")
    async def docs() -> HTMLResponse:
        """The page that shows the OpenAPI document."""
        return page

    def add(name: str, media_type: str) -> None:
        @router.get(f"/docs/{name}")
        def file() -> FileResponse:
            """One file of it; looked up when it is asked for."""
            folder = Path(str(files("fastapi_swagger"))) / "resources"
            return FileResponse(folder / name, media_type=media_type, headers=A_DAY)

    for name, media_type in FILES.items():
        add(name, media_type)
    return router
