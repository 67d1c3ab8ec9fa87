"""What is released beyond its programme: a catalogue, and one document a project."""
