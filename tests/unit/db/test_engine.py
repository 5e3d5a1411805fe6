import pytest
from sqlalchemy.exc import OperationalError

from app.db.engine import create_engine, database_errors
from app.errors import DatabaseError


def test_the_sslmode_of_hosted_databases_reaches_the_driver_under_its_own_name():
    engine = create_engine("postgresql+asyncpg://me:secret@db.example.com/parley?sslmode=require")
    assert dict(engine.url.query) == {"ssl": "require"}


def test_the_engine_shows_no_password():
    assert "secret" not in repr(create_engine("postgresql+asyncpg://me:secret@db.example.com/parley"))


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError("refused"), TimeoutError(), OperationalError("select", {}, Exception("gone"))]
)
def test_every_way_to_be_away_has_one_name(error):
    with pytest.raises(DatabaseError), database_errors():
        raise error
