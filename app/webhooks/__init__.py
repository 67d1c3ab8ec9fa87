"""Events leave the house: endpoints of subscribers, deliveries to them, and the feed."""
