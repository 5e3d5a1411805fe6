from tests.db.fixtures import (  # noqa: F401 (fixtures are found by their names in this module)
    database_url,
    empty_database_url,
    engine,
    postgres_url,
    reachable_dir,
    template,
)
