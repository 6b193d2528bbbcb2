"""Velocity templates, as API Gateway's mapping templates use them: text in, text out, and nothing else can be reached
(https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings.html)."""

from clary.velocity.limits import Limits, TemplateError, TooMuch
from clary.velocity.template import Template, parse

__all__ = ["Limits", "Template", "TemplateError", "TooMuch", "parse"]
