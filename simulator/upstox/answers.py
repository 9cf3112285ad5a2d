"""What every answer of Upstox has in common, and its errors as documented (2026)."""

from typing import Any

from starlette.responses import JSONResponse

from simulator.poison import words

# Code, HTTP status, message. The statuses of those marked so were not seen by anybody we know of.
ERRORS = {
    "UDAPI100050": (401, "Invalid token used to access API"),
    "UDAPI10005": (429, "Too Many Request Sent"),
    "UDAPI100060": (404, "Resource not Found."),
    "UDAPI100500": (500, "Something went wrong... please contact us"),
    "UDAPI100011": (400, "Invalid Instrument key"),
    "UDAPI1021": (400, "Instrument key is of invalid format"),
    "UDAPI1015": (400, "to_date must be greater than or equal to from_date"),
    "UDAPI1020": (400, "Interval accepts one of (1minute,3minute,5minute,15minute,30minute,day)"),
    "UDAPI1146": (400, "Invalid unit"),
    "UDAPI1147": (400, "Invalid interval"),
    "UDAPI1148": (400, "Invalid date range"),
    "UDAPI100036": (400, "Invalid Input"),
    "UDAPI1149": (  # status not seen
        403,
        "This API is available exclusively with an Upstox Plus plan subscription",
    ),
}


class Refusal(Exception):
    """An answer that is one of the documented errors."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def success(data: Any) -> JSONResponse:
    """Return an answer with data."""
    return JSONResponse({"status": "success", "data": data})


def too_long() -> dict[str, Any]:
    """Return an error whose message is of megabytes."""
    return {"status": "error", "errors": [{"errorCode": "UDAPI100500", "message": words()}]}


def failure(code: str, status: int | None = None) -> JSONResponse:
    """Return an error's answer; every name is sent twice, as the service does."""
    usual, message = ERRORS[code]
    error = {
        "errorCode": code,
        "message": message,
        "propertyPath": None,
        "invalidValue": None,
        "error_code": code,
        "property_path": None,
        "invalid_value": None,
    }
    return JSONResponse({"status": "error", "errors": [error]}, status or usual)
