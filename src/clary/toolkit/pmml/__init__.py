"""Models given as PMML (https://dmg.org/pmml/v4-4-1/GeneralStructure.html), asked without the library that wrote them
(docs/decisions/0048-pmml-and-pfa-of-our-own.md)."""
