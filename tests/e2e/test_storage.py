"""Recordings in a folder and in a store that speaks S3."""

import asyncio
import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from app.errors import NotStored, SettingsError, StorageError
from app.recordings.storage import Storage, open_storage

SOUND = bytes(range(256)) * 4096
KEY = "2026/11/call.wav"


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    """A bucket on a stand-in server, with the credentials in the URL."""
    logging.getLogger("werkzeug").disabled = True
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="s/ecret",
    )
    client.create_bucket(Bucket="calls")
    yield f"s3://key:s%2Fecret@calls/recordings?endpoint=http://{host}:{port}&region=us-east-1"
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return open_storage(request.getfixturevalue("s3_url") if request.param == "s3" else None, tmp_path)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    file = tmp_path / "sound.wav"
    file.write_bytes(SOUND)
    return file


async def read(storage: Storage, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([piece async for piece in storage.read(KEY, start, end)])


async def test_what_was_put_comes_back_with_its_size_and_checksum(storage: Storage, sound: Path, tmp_path: Path):
    stored = await storage.put(KEY, sound)
    await storage.fetch(KEY, tmp_path / "back.wav")

    assert (stored.key, stored.bytes) == (KEY, len(SOUND))
    assert stored.sha256 == hashlib.sha256(SOUND).hexdigest()
    assert await storage.size(KEY) == len(SOUND)
    assert (tmp_path / "back.wav").read_bytes() == SOUND


async def test_a_part_of_it_can_be_read(storage: Storage, sound: Path):
    await storage.put(KEY, sound)

    assert await read(storage, 100, 300) == SOUND[100:300]
    assert await read(storage, 0, 1) == SOUND[:1]
    assert await read(storage, len(SOUND) - 5) == SOUND[-5:]


async def test_putting_it_again_replaces_it(storage: Storage, sound: Path):
    await storage.put(KEY, sound)
    await asyncio.to_thread(sound.write_bytes, b"other")
    await storage.put(KEY, sound)

    assert await read(storage) == b"other"


async def test_what_was_deleted_is_gone_and_deleting_it_again_is_fine(storage: Storage, sound: Path):
    await storage.put(KEY, sound)
    await storage.delete(KEY)
    await storage.delete(KEY)

    with pytest.raises(NotStored):
        await storage.size(KEY)
    with pytest.raises(NotStored):
        await read(storage)


async def test_a_store_that_cannot_be_reached_is_an_error_without_its_secrets(sound: Path, tmp_path: Path):
    storage = open_storage("s3://key:s%2Fecret@calls?endpoint=http://127.0.0.1:9&region=us-east-1", tmp_path)

    with pytest.raises(StorageError) as caught:
        await storage.put(KEY, sound)

    assert "s/ecret" not in str(caught.value)
    assert KEY in str(caught.value)


async def test_a_folder_that_cannot_be_written_is_an_error(sound: Path, tmp_path: Path):
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "2026").write_text("in the way")

    with pytest.raises(StorageError):
        await open_storage(None, tmp_path).put(KEY, sound)


@pytest.mark.parametrize(
    "url", ["recordings", "ftp://host/x", "file://relative", "s3://", "s3://bucket?endpint=http://x", "file:///a?b=c"]
)
def test_a_wrong_url_is_refused_at_start(url: str, tmp_path: Path):
    with pytest.raises(SettingsError, match="STORAGE_URL"):
        open_storage(url, tmp_path)
