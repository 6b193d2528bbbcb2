"""How many replicas a serverless variant has: pure, over the variant as deployed.

An edge says how many requests it has at once, and which replicas have had nothing to do for long (`asked`). What ends
is not replaced before it is asked for again (`give_up`), but for what is provisioned.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from clary.lifecycles.endpoint import Deployment, Replica, Variant, is_ready
from clary.workload.failure import cut


def asked(variant: Variant, wanted: int, gone: Collection[str]) -> Variant:
    """`variant` with as many replicas as `wanted`, as far as it may have so many, and without those with a container
    that is `gone`. What others have asked for stays."""
    serverless, known = variant["serverless"], variant["replicas"]
    kept = [replica for replica in known if not any(member["container"] in gone for member in replica["members"])]
    left = variant["desired_count"] - (len(known) - len(kept))
    count = min(serverless["max_concurrency"], max(left, wanted, serverless["provisioned"]))
    return {**variant, "replicas": kept, "desired_count": count}


def give_up(variant: Variant, ended: Callable[[Replica], str | None], late: Callable[[Replica], str | None]) -> None:
    """Changing `variant`, which serves: a replica that has `ended`, or takes too long to come up, is not wanted any
    more, and whoever waits for one that has never answered is told why. Those that are provisioned are replaced.

    `ended` and `late` say why of one replica, or None.
    """
    serverless = variant["serverless"]
    for replica in list(variant["replicas"]):
        spare = variant["desired_count"] > serverless["provisioned"]
        reason = ended(replica) or (late(replica) if spare else None)
        if reason is None:
            continue
        if not is_ready(replica):
            serverless["failures"] += 1
            serverless["said"] = cut(reason)
        if spare:
            variant["replicas"].remove(replica)
            variant["desired_count"] -= 1


def settle(upcoming: Deployment, before: Deployment | None) -> None:
    """Changing `upcoming`, which takes the place of `before`: that a model comes up was to be seen, and a replica that
    nobody asks for is not needed for more. While requests come, it is."""
    busy = {variant["name"]: variant["desired_count"] for variant in (before or {}).get("variants", ())}
    for variant in upcoming["variants"]:
        if "serverless" not in variant:
            continue
        count = max(variant["serverless"]["provisioned"], min(busy.get(variant["name"], 0), variant["desired_count"]))
        variant["desired_count"] = count
        variant["replicas"] = sorted(variant["replicas"], key=is_ready, reverse=True)[:count]
