"""What was sent to subscribers, each attempt, and sending it again."""
