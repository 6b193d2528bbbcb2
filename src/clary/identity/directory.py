"""The published identities, compiled when they are asked for: who has which policies, and what follows."""

from __future__ import annotations

from collections.abc import Sequence

from clary.calls import Access, Call, Principal
from clary.identity.context import Facts, WithFacts, context_of
from clary.identity.managed import managed_policies
from clary.identity.patterns import Context
from clary.identity.places import Places
from clary.identity.policy import Decision, PolicySet, Question, Statement, compile_policy, first_denial
from clary.identity.principals import is_service
from clary.identity.published import Identities, Subject
from clary.identity.resource_policy import ResourcePolicy
from clary.identity.resources import Guarded, Resources, together

_DECISIONS_KEPT = 32_768
"""Bound of the memory of decisions (about 200 bytes each)."""

_SESSIONS_KEPT = 1024
"""Bound on compiled session policies."""

_NOTHING = PolicySet(())

_MAKES = "CreateBucket"
"""The bucket is not there yet, whatever rights this needs on it: it will be the caller's."""

_Asked = tuple[str, str, tuple[str, ...], str, str]


class Directory:
    """One published document. Answers from memory, in any thread; a new document is a new directory."""

    def __init__(self, identities: Identities, resources: Resources | None = None, facts: Facts | None = None) -> None:
        self.identities = identities
        self.places = Places(identities)
        self._facts = facts
        self.resources = resources or Resources({}, identities["account"])
        self._statements: dict[str, tuple[Statement, ...]] = {}
        self._layers: dict[str, tuple[PolicySet, PolicySet | None]] = {}
        self._sessions: dict[tuple[str, ...], PolicySet] = {}
        self._decisions: dict[_Asked, Decision] = {}

    def decide(self, call: Call, access: Access) -> Decision:
        """Whether the call's principal has this right. Remembered where no condition key took part."""
        who = call.principal
        if call.operation == _MAKES:
            return self._by_the_callers(self._callers(who, self._question(call, access)))
        asked = (who.identity, who.user_id, tuple(who.session_policies), access.action, access.resource)
        known = self._decisions.get(asked)
        if known is not None:
            return known
        question = self._question(call, access)
        decision = self._decided(who, question)
        if not question.contextual:
            if len(self._decisions) >= _DECISIONS_KEPT:
                self._decisions.clear()
            self._decisions[asked] = decision
        return decision

    def decide_on(self, call: Call, access: Access, policy: ResourcePolicy) -> Decision:
        """The same on a resource that has a policy of its own."""
        who, question = call.principal, self._question(call, access)
        account = self.resources.account_of(access.resource) or self.identities["account"]
        guarded = Guarded(account, PolicySet(policy.statements), alone=policy.sole)
        return together(guarded, question, who, self._callers(who, question))

    def is_closed(self, who: Principal, access: Access) -> bool:
        """Whether the resource is another account's, which has let nobody in: what the caller's own policies allow does
        not count there. Whom a role lets in is said by its trust policy, which STS asks itself."""
        account = self.resources.account_of(access.resource)
        foreign = account.isdecimal() and account != who.account
        return foreign and self.resources.find(access.resource) is None and not access.action.startswith("sts:")

    def subject(self, principal: Principal) -> Subject | None:
        """The user or role whose policies count; None where it is gone, or another has its name now."""
        found = self.identities["subjects"].get(principal.identity)
        identifier = principal.subject_id or principal.user_id.partition(":")[0]
        return found if found and found["id"] == identifier else None

    def layers(self, arn: str) -> tuple[PolicySet, PolicySet | None]:
        """A subject's own policies, and its permissions boundary. Raises KeyError."""
        found = self._layers.get(arn)
        if found is None:
            subject = self.identities["subjects"][arn]
            own = PolicySet(each for name in subject["policies"] for each in self._policy(name))
            boundary = subject["boundary"]
            found = own, PolicySet(self._policy(boundary)) if boundary is not None else None
            self._layers[arn] = found
        return found

    def texts(self) -> dict[str, str]:
        """The documents that were compiled so far, by the name that their statements have as a source."""
        return {self._source(name): self._document(name) for name in self._statements}

    def _source(self, name: str) -> str:
        managed = managed_policies().get(name)
        return managed.name if managed is not None else name

    def _document(self, name: str) -> str:
        managed = managed_policies().get(name)
        if managed is not None:
            return managed.document
        policy = self.identities["policies"].get(name)
        return policy["document"] if policy is not None else ""

    def _question(self, call: Call, access: Access) -> Question:
        def gather() -> Context:
            subject = self.subject(call.principal)
            account = self.resources.account_of(access.resource) or call.principal.account
            more = {**self._of_organization(call.principal.account, account), **access.context}
            keys = context_of(call, account, subject["tags"] if subject else {}, more)
            facts = self._facts
            return keys if facts is None else WithFacts(keys, lambda: facts(access))

        return Question(access.action, access.resource, gather)

    def _of_organization(self, caller: str, owner: str) -> dict[str, str | Sequence[str]]:
        """The keys of AWS Organizations, of the caller and of the owner of what is asked for."""
        organization = self.identities.get("organization")
        if not organization:
            return {}
        keys: dict[str, str | Sequence[str]] = {}
        for noun, account in (("Principal", caller), ("Resource", owner)):
            if account in organization["accounts"]:
                keys |= {f"aws:{noun}OrgID": organization["id"], f"aws:{noun}OrgPaths": [organization["path"]]}
        return keys

    def _decided(self, who: Principal, question: Question) -> Decision:
        own = self._callers(who, question)
        guarded = self._guarded(who, question)
        return self._by_the_callers(own) if guarded is None else together(guarded, question, who, own)

    def _by_the_callers(self, own: list[Decision] | None) -> Decision:
        """What the caller's policies say alone."""
        return first_denial(own) if own else Decision("implicitDeny", "resource")

    def _guarded(self, who: Principal, question: Question) -> Guarded | None:
        """What else there is to say, where the resource is another's or has a policy."""
        guarded = self.resources.find(question.resource)
        if guarded is None or guarded.alone or guarded.policy.statements or guarded.account != who.account:
            return guarded
        return None

    def _callers(self, who: Principal, question: Question) -> list[Decision] | None:
        """What its policies say; None where it has none: nobody, and services."""
        return None if who.kind == "anonymous" or is_service(who) else self._own(who, question)

    def _own(self, who: Principal, question: Question) -> list[Decision]:
        """The caller's policies, its boundary's and its session's, each by itself."""
        session = self._session(tuple(who.session_policies))
        own, boundary = self._of_subject(who)
        decisions = [own.decide(question, "identity")]
        if boundary is not None:
            decisions.append(boundary.decide(question, "boundary"))
        if session is not None:
            decisions.append(session.decide(question, "session"))
        return decisions

    def _of_subject(self, who: Principal) -> tuple[PolicySet, PolicySet | None]:
        if who.kind == "root":
            return _EVERYTHING, None
        return self.layers(who.identity) if self.subject(who) is not None else (_NOTHING, None)

    def _policy(self, name: str) -> tuple[Statement, ...]:
        found = self._statements.get(name)
        if found is None:
            found = self._statements[name] = self._compiled(name)
        return found

    def _compiled(self, name: str) -> tuple[Statement, ...]:
        """A policy that a session names may have gone since: it allows nothing then."""
        managed = managed_policies().get(name)
        if managed is not None:
            return compile_policy(managed.document, managed.name, "IAM Policy")
        policy = self.identities["policies"].get(name)
        return compile_policy(policy["document"], name, policy["type"]) if policy is not None else ()

    def _session(self, policies: tuple[str, ...]) -> PolicySet | None:
        if not policies:
            return None
        found = self._sessions.get(policies)
        if found is None:
            if len(self._sessions) >= _SESSIONS_KEPT:
                self._sessions.clear()
            found = self._sessions[policies] = PolicySet(each for text in policies for each in self._narrowing(text))
        return found

    def _narrowing(self, text: str) -> tuple[Statement, ...]:
        """A session policy: a document, or the ARN of one."""
        return self._policy(text) if text.startswith("arn:") else compile_policy(text, "SessionPolicy")


_EVERYTHING = PolicySet(
    compile_policy({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}, "root")
)
EMPTY: Identities = {"account": "", "keys": {}, "subjects": {}, "policies": {}}
"""Before the first publication: nobody is known."""
