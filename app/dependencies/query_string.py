"""Query strings as models."""

from typing import Any, Generic, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)


class QueryString(Generic[M]):
    """Reads a query string as FastAPI's `Query()` would, which takes as long as the rest of a list of twenty.

    That one examines the type of every field of the model for each request. What is documented of the model,
    `app/api/openapi.py` adds.
    """

    def __init__(self, model: type[M]) -> None:
        """Read this model; a parameter that is repeated counts as the last one says."""
        self.model = model

    async def __call__(self, request: Request) -> M:
        """Give the model, or raise RequestValidationError."""
        try:
            return self.model.model_validate(dict(request.query_params))
        except ValidationError as error:
            located = [{**fault, "loc": ("query", *fault["loc"])} for fault in error.errors()]
            raise RequestValidationError(located) from error

    def parameters(self) -> list[dict[str, Any]]:
        """Describe the parameters for OpenAPI."""
        schema = self.model.model_json_schema()
        return [
            {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", ()),
                "schema": {key: value for key, value in field.items() if value is not None},
                "description": field["description"],
            }
            for name, field in schema["properties"].items()
        ]
