"""Forget stored answers, of a service that has come to its end."""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.db import rows_changed

_FORGET = text(
    """
    DELETE FROM web.idempotent_answer WHERE key_hash = ANY(ARRAY(
        SELECT key_hash FROM web.idempotent_answer
         WHERE CASE WHEN split_part(endpoint, '.', 1) = ANY(:shared)
                    THEN convert_from(body, 'UTF8')::jsonb ->> 'module' = :module
                    ELSE split_part(endpoint, '.', 1) = ANY(:doors) END LIMIT :most))
    """
)


def forget_answers_of(
    session: Session, *, module: str, doors: Collection[str], shared: Collection[str], most: int
) -> int:
    """Delete so many answers that doors of these blueprints gave; return how many.

    Of ``shared`` ones, which serve every module, those that name this one.
    """
    asked = {"module": module, "doors": list(doors), "shared": list(shared), "most": most}
    return rows_changed(session, _FORGET, asked)
