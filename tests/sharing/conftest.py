"""A project, released to whoever asks."""

import pytest
from sqlmodel import Session

from app.projects.models import Project
from app.sharing.models import Audience, Release
from tests.exchange import make_release
from tests.sharing.ready import make_ready
from tests.world import World


@pytest.fixture
def project(session: Session, world: World) -> Project:
    return make_ready(session, world.project)


@pytest.fixture
def release(session: Session, project: Project) -> Release:
    return make_release(session, project=project, audience=Audience.PUBLIC)
