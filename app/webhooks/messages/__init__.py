"""The contract of events: what each type says, as models and as part of the OpenAPI document."""
