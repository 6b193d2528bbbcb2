"""ScheduleKeyDeletion, CancelKeyDeletion: the key is deleted when its time has come, by a controller
(https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html)."""

from __future__ import annotations

from dataclasses import replace

from clary.keys.families import has_replicas
from clary.keys.rows import DAY, DISABLED, PENDING_DELETION, PENDING_REPLICAS
from clary.services.context import Context
from clary.services.kms.errors import wrong_state
from clary.services.kms.keyed import check_not_going, on_key
from clary.services.kms.rows import change
from clary.services.resources import Output, Params, moment, now, present
from clary.store.rows import Row

_DEFAULT_DAYS = 30


@on_key("ScheduleKeyDeletion")
def schedule(context: Context, params: Params, row: Row) -> Output:
    """Raises NotFoundException, KMSInvalidStateException."""
    days = params.get("PendingWindowInDays") or _DEFAULT_DAYS
    mark, deletes = context.call.invocation_id, now().timestamp() + days * DAY

    def changed(there: Row) -> Row:
        if mark and there.state.get("scheduled_by") == mark:
            return there
        check_not_going(there)
        state = {**there.state, "deletes": deletes, "scheduled_by": mark}
        if has_replicas(there):  # its days are counted from when the last one has gone
            state |= {"deletes": None, "window": days}
            return replace(there, status=PENDING_REPLICAS, state=state)
        return replace(there, status=PENDING_DELETION, state=state)

    stored = change(context, row, changed)
    said = {"KeyId": row.arn, "DeletionDate": moment(stored.state["deletes"]), "KeyState": stored.status}
    return {**present(said), "PendingWindowInDays": days}


@on_key("CancelKeyDeletion")
def cancel(context: Context, _params: Params, row: Row) -> Output:
    """The key is disabled then. Raises NotFoundException, KMSInvalidStateException."""

    mark = context.call.invocation_id

    def changed(there: Row) -> Row:
        if mark and there.state.get("cancelled_by") == mark:
            return there
        if there.status not in (PENDING_DELETION, PENDING_REPLICAS):
            raise wrong_state(f"{there.arn} is not pending deletion.")
        state = {**there.state, "deletes": None, "scheduled_by": "", "cancelled_by": mark}
        return replace(there, status=DISABLED, state=state)

    change(context, row, changed)
    return {"KeyId": row.arn}
