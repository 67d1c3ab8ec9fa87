"""Imports every models.py once, so that the metadata is whole. Nothing else belongs here."""

from sqlmodel import SQLModel

import app.access.models
import app.analytics.summaries.models
import app.events.models
import app.identity.models
import app.kit.idempotency
import app.learning_sessions.models
import app.measures.models
import app.organisations.models
import app.participants.models
import app.pdsa.models
import app.programmes.models
import app.projects.models
import app.teams.models  # noqa: F401

metadata = SQLModel.metadata
