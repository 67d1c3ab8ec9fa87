"""Events come in: connections to other platforms, their signed messages, and what they change."""
