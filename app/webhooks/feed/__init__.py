"""What happened, in one order: pulled from a number on, or streamed as it happens."""
