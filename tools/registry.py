"""The tools an agent may call: plain functions whose signature and docstring are the schema.

A tool takes the open shop first and then its arguments, returns a Finding, and only reads.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError, create_model
from pydantic.fields import FieldInfo

from storewise.tools.finding import Finding
from storewise.tools.shop.generation import MissingTable, Shop

ToolFunction = Callable[..., Finding]


class ArgumentError(ValueError):
    """The arguments of a call do not fit the tool's schema; the message says which and why."""


@dataclass(frozen=True)
class Tool:
    """A tool function with its schema, as the model and the API see it."""

    function: ToolFunction

    @property
    def name(self) -> str:
        return self.function.__name__

    @cached_property
    def description(self) -> str:
        """The docstring's prose before its `Args:` section."""
        return inspect.cleandoc(self.function.__doc__ or "").split("\nArgs:")[0].strip()

    @cached_property
    def _argument_notes(self) -> dict[str, str]:
        doc = inspect.cleandoc(self.function.__doc__ or "")
        notes = doc.split("\nArgs:", 1)[1] if "\nArgs:" in doc else ""
        found = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", notes, flags=re.M)
        return {name: " ".join(text.split()) for name, text in found}

    @cached_property
    def model(self) -> Any:
        """A pydantic model of the arguments (without the shop)."""
        hints = get_type_hints(self.function)
        fields: dict[str, Any] = {}
        for name, parameter in list(inspect.signature(self.function).parameters.items())[1:]:
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            fields[name] = (
                hints[name],
                FieldInfo(default=default, description=self._argument_notes.get(name)),
            )
        return create_model(
            self.name, __config__={"extra": "forbid", "coerce_numbers_to_str": True}, **fields
        )

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """The arguments that may be left out, with the value that then holds."""
        return {
            name: field.default for name, field in self.model.model_fields.items() if not field.is_required()
        }

    @cached_property
    def written_arguments(self) -> list[str]:
        """The arguments as the short syntax writes them, in order: `when` for start and end."""
        return ["when" if name == "start" else name for name in self.model.model_fields if name != "end"]

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the arguments."""
        return dict(TypeAdapter(self.model).json_schema())

    def openai(self) -> dict[str, Any]:
        """The tool as the OpenAI-compatible API describes one."""
        function = {"name": self.name, "description": self.description, "parameters": self.schema}
        return {"type": "function", "function": function}

    def choices(self, argument: str) -> list[str]:
        """Return the values that an argument of fixed choices may have, empty for any other."""
        field = self.model.model_fields.get(argument)
        annotation = field.annotation if field is not None else None
        parts = (annotation, *get_args(annotation))
        return list(dict.fromkeys(v for part in parts for v in get_args(part) if isinstance(v, str)))

    def _spelled(self, argument: str, value: Any) -> Any:
        """Return the contract's spelling of a choice that was written in another case."""
        known = {choice.casefold(): choice for choice in self.choices(argument)}
        return known.get(str(value).casefold(), value) if known else value

    def call(self, shop: Shop, arguments: dict[str, Any]) -> Finding:
        """Check `arguments` against the schema, run the tool, and note the arguments in its finding.

        Raises:
            ArgumentError: an argument is unknown, missing or of the wrong type.
        """
        try:
            checked = self.model(**{name: self._spelled(name, value) for name, value in arguments.items()})
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ArgumentError(f"{self.name}: {where}: {first['msg']}") from None
        given = {name: getattr(checked, name) for name in type(checked).model_fields}
        try:
            finding = self.function(shop, **given)
        except MissingTable as missing:
            finding = Finding(tool=self.name, status="missing_table", headline=str(missing))
        said = {name: value for name, value in given.items() if value != self.defaults.get(name, ...)}
        return finding.model_copy(
            update={"arguments": TypeAdapter(dict[str, Any]).dump_python(said, mode="json")}
        )


def analyst_tools() -> dict[str, Tool]:
    """Return the analyst's tools by name, in the order of the contract."""
    from storewise.tools import (
        carts,
        contacts,
        customers,
        opinions,
        recommendations,
        sales,
        summaries,
        value,
    )

    functions: list[ToolFunction] = [
        sales.sales_report,
        customers.customer_profile,
        customers.churn_risk,
        value.customer_value,
        recommendations.recommend_products,
        carts.cart_risk,
        opinions.search_reviews,
        opinions.review_insights,
        summaries.summarize_reviews,
        contacts.customer_contacts,
    ]
    return {function.__name__: Tool(function) for function in functions}
