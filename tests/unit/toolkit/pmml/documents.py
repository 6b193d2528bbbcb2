"""PMML files in a few words. Their models are our own; their answers are worked out by hand."""

from __future__ import annotations

from clary.toolkit.pmml.document import PmmlModel


def pmml(model: str, dictionary: str, version: str = "4.4", shared: str = "") -> bytes:
    namespace = f"http://www.dmg.org/PMML-{version.replace('.', '_')}"
    made = f"<TransformationDictionary>{shared}</TransformationDictionary>" if shared else ""
    text = (
        f'<?xml version="1.0"?><PMML xmlns="{namespace}" version="{version}"><Header/>'
        f"<DataDictionary>{dictionary}</DataDictionary>"
        f"{made}{model}</PMML>"
    )
    return text.encode()


def data(**kinds: str) -> str:
    """DataFields of these kinds."""
    optypes = {"string": "categorical"}
    fields = ((name, optypes.get(kind, "continuous"), kind) for name, kind in kinds.items())
    return "".join(f'<DataField name="{name}" optype="{optype}" dataType="{kind}"/>' for name, optype, kind in fields)


def schema(*active: str, target: str = "") -> str:
    fields = "".join(f'<MiningField name="{name}"/>' for name in active)
    last = f'<MiningField name="{target}" usageType="target"/>' if target else ""
    return f"<MiningSchema>{fields}{last}</MiningSchema>"


def number(name: str, coefficient: float, exponent: int = 1) -> str:
    return f'<NumericPredictor name="{name}" coefficient="{coefficient}" exponent="{exponent}"/>'


def linear(body: str, fields: str, intercept: float = 0, extra: str = "", **attributes: str) -> str:
    """A RegressionModel of one table; `fields`: its schema, `extra`: what comes before the table."""
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    table = f'<RegressionTable intercept="{intercept}">{body}</RegressionTable>'
    return f'<RegressionModel functionName="regression"{more}>{fields}{extra}{table}</RegressionModel>'


def asked(content: bytes, *rows: dict[str, object]) -> list[object]:
    """The first answer for each row."""
    model = PmmlModel(content)
    given = {name: [row.get(name) for row in rows] for name in model.inputs}
    return next(iter(model.ask(given, len(rows)).values()))
