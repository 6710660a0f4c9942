"""User code over cursors and walks, as a type checker sees it. Nothing here runs.

Each wrong use is marked: a checker that stopped seeing one would report the mark as unused.
"""
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import assert_type

from esipy import AsyncEsiClient, EsiClient, ops
from esipy.lists.cursor import AsyncCursor, Batch, Cursor, Position
from esipy.lists.positions import MemoryPositions
from esipy.ops.corporation_projects import (
    CorporationsProjectsContributorsContributor,
    CorporationsProjectsDetailProject,
)
from esipy.ops.freelance_jobs import (
    CorporationsFreelanceJobsParticipantsParticipant,
    FreelanceJobsDetailFreelanceJob,
)
from esipy.ops.mail import CharactersCharacterIdMailItem
from esipy.ops.military_campaigns import MilitaryCampaignsObjectivesDetailObjective

JOBS = ops.freelance_jobs.get_freelance_jobs_listing()
MAILS = ops.mail.get_characters_character_id_mail(character_id=1)


def rows(client: EsiClient) -> None:
    """Whatever the list is called in its answer, a checker knows its rows."""
    assert_type(client.cursor(JOBS), Cursor[FreelanceJobsDetailFreelanceJob])
    projects = ops.corporation_projects.get_corporations_projects_listing(corporation_id=1)
    assert_type(client.cursor(projects), Cursor[CorporationsProjectsDetailProject])
    contributors = ops.corporation_projects.get_corporations_projects_contributors(corporation_id=1, project_id="p")
    assert_type(client.cursor(contributors), Cursor[CorporationsProjectsContributorsContributor])
    participants = ops.freelance_jobs.get_corporations_freelance_jobs_participants(corporation_id=1, job_id="j")
    assert_type(client.cursor(participants), Cursor[CorporationsFreelanceJobsParticipantsParticipant])
    objectives = ops.military_campaigns.get_military_campaigns_objectives_listing(campaign_id="c")
    assert_type(client.cursor(objectives), Cursor[MilitaryCampaignsObjectivesDetailObjective])
    client.cursor(ops.status.get_status())  # type: ignore[arg-type]
    client.walk(JOBS)  # type: ignore[arg-type]


def blocking(client: EsiClient) -> None:
    """Batches with their positions; rows of a walk."""
    cursor = client.cursor(JOBS, name="jobs", store="sqlite:///positions.sqlite3", priority="batch")
    first = cursor.initial()
    assert_type(first, Batch[FreelanceJobsDetailFreelanceJob])
    assert_type(first.rows, list[FreelanceJobsDetailFreelanceJob])
    assert_type(first.position, Position)
    assert_type(cursor.position(), Position | None)
    for batch in cursor.changes():
        assert_type(batch.rows[0].progress.current, int)
        client.cursor(JOBS, position=str(batch.position), store=MemoryPositions())
    assert_type(client.walk(MAILS), Iterator[CharactersCharacterIdMailItem])
    client.cursor(JOBS, store=5)  # type: ignore[arg-type]


async def in_asyncio(client: AsyncEsiClient) -> None:
    """The same, awaited; what gives an iterator is not."""
    cursor = client.cursor(JOBS)
    assert_type(cursor, AsyncCursor[FreelanceJobsDetailFreelanceJob])
    assert_type(await cursor.initial(), Batch[FreelanceJobsDetailFreelanceJob])
    assert_type(await cursor.position(), Position | None)
    async for batch in cursor.changes():
        assert_type(batch, Batch[FreelanceJobsDetailFreelanceJob])
    await cursor.commit()
    assert_type(client.walk(MAILS, max_wait=0.0), AsyncIterator[CharactersCharacterIdMailItem])
