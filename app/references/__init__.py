"""External references: the identifiers that other systems have for our resources."""
