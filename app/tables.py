"""Imports every models.py once, so that the metadata is whole. Nothing else belongs here."""

from sqlmodel import SQLModel

import app.access.models
import app.analytics.detections.models
import app.analytics.summaries.models
import app.events.models
import app.identity.models
import app.integrations.models
import app.jobs.models
import app.kit.idempotency
import app.learning_sessions.models
import app.measures.models
import app.operations.models
import app.organisations.models
import app.participants.models
import app.pdsa.models
import app.programmes.models
import app.projects.models
import app.references.models
import app.sharing.models
import app.teams.models
import app.webhooks.models  # noqa: F401

metadata = SQLModel.metadata
