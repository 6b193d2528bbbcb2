"""What SageMaker answers about inference components instead of a result."""

from __future__ import annotations

from clary.errors import AWSError, ValidationError


def component_exists(arn: str) -> AWSError:
    """CreateInferenceComponent. No public source shows AWS's words; these are those of endpoints."""
    return ValidationError(f'Cannot create already existing inference component "{arn}".')


def component_not_found(arn: str) -> AWSError:
    """Everything else of a component that is not there: clients look for the first four words."""
    return ValidationError(f'Could not find inference component "{arn}".')


def component_in_progress(arn: str) -> AWSError:
    """An update or a deletion while another change is under way. No public source shows AWS's words."""
    return ValidationError(f'Cannot update in-progress inference component "{arn}".')


def failed_component(arn: str) -> AWSError:
    """An update of one that has failed. No public source shows AWS's words."""
    return ValidationError(f'Cannot update failed inference component "{arn}". It can only be deleted.')


def endpoint_has_components(arn: str, names: list[str]) -> AWSError:
    """DeleteEndpoint. Public sources tell of the refusal, none shows its whole text."""
    return ValidationError(
        f'Cannot delete endpoint "{arn}": Endpoint has inference components attached ({", ".join(names)}). '
        "Delete them before you delete the endpoint."
    )


def no_room_for_components(variant: str) -> AWSError:
    """A change of an endpoint that would leave copies without a place. No public source shows AWS's words."""
    return ValidationError(
        f"Variant {variant} must keep enough instances for the copies of the inference components that it hosts."
    )


def variant_hosts_components(variant: str) -> AWSError:
    """UpdateEndpoint to a configuration that has nowhere for the components. No public source shows AWS's words."""
    return ValidationError(
        f"The endpoint has inference components on variant {variant}: the new endpoint configuration must have a "
        "variant of that name without ModelName."
    )
