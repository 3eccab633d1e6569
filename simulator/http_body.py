"""Arguments of a call from its query and body: JSON, form or multipart."""

import json
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request


@dataclass(frozen=True)
class Upload:
    """A file part of a multipart body."""

    field: str
    name: str
    mime: str
    data: bytes


class BadBody(Exception):
    """The body does not hold what its content type says."""


async def arguments(request: Request) -> tuple[dict[str, Any], list[Upload]]:
    """Query and body as one mapping, and the uploaded files. Raises BadBody."""
    found: dict[str, Any] = dict(parse_qsl(request.url.query, keep_blank_values=True))
    body = await request.body()
    if not body:
        return found, []
    kind, options = _header(request.headers.get("content-type", ""))
    if kind == "application/json":
        try:
            parsed = json.loads(body)
        except ValueError as broken:
            raise BadBody("can't parse JSON object") from broken
        if not isinstance(parsed, dict):
            raise BadBody("the JSON body is not an object")
        return found | parsed, []
    if kind == "multipart/form-data":
        fields, uploads = _multipart(body, options.get("boundary", ""))
        return found | fields, uploads
    if kind in ("application/x-www-form-urlencoded", ""):
        return found | dict(parse_qsl(body.decode(), keep_blank_values=True)), []
    raise BadBody(f"unsupported content type {kind}")


def _header(value: str) -> tuple[str, dict[str, str]]:
    message = Message()
    message["content-type"] = value or "application/x-www-form-urlencoded"
    params = message.get_params(header="content-type") or []
    return message.get_content_type(), {key: text for key, text in params[1:] if isinstance(text, str)}


def _multipart(body: bytes, boundary: str) -> tuple[dict[str, str], list[Upload]]:
    if not boundary:
        raise BadBody("multipart body without boundary")
    fields: dict[str, str] = {}
    uploads: list[Upload] = []
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:]:
        if part.startswith(b"--"):
            break
        head, separator, data = part.partition(b"\r\n\r\n")
        if not separator:
            raise BadBody("multipart part without a blank line")
        headers = Message()
        for line in head.decode("utf-8", "replace").strip().split("\r\n"):
            key, _, value = line.partition(":")
            headers[key.strip()] = value.strip()
        name = str(headers.get_param("name", "", header="content-disposition"))
        file_name = headers.get_param("filename", None, header="content-disposition")
        if file_name is None:
            fields[name] = data.decode()
        else:
            mime = headers.get_content_type() if "content-type" in headers else "application/octet-stream"
            uploads.append(Upload(field=name, name=_text(file_name), mime=mime, data=data))
    return fields, uploads


def _text(value: str | tuple[str | None, str | None, str]) -> str:
    return value if isinstance(value, str) else value[2]
