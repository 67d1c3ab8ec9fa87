"""Tests of learning sessions and attendance."""
