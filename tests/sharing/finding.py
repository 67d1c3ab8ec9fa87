"""Where shared projects and their documents are found."""

from app.projects.models import Project

LIST = "/shared/projects"


def path_of(project: Project) -> str:
    return f"{LIST}/{project.id}"
