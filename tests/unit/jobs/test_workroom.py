"""Folders that jobs work in: they go with the job, and with the next one where the process was killed."""

from pathlib import Path

from app.jobs.workroom import Workroom


def left_in(root: Path) -> list[str]:
    return [str(file.relative_to(root).name) for file in root.rglob("*.wav")]


async def test_a_folder_is_private_and_goes_with_its_run(tmp_path: Path):
    room = Workroom(tmp_path / "work")
    async with room.folder() as one, room.folder() as other:
        assert one != other
        assert one.stat().st_mode & 0o077 == 0
        (one / "a.wav").write_bytes(b"sound")
    assert left_in(tmp_path) == []
    assert not one.exists()


async def test_what_a_killed_process_left_goes_with_the_next_run_and_what_others_work_at_stays(tmp_path: Path):
    killed, alive, ours = (Workroom(tmp_path) for _ in range(3))
    in_killed, in_alive = killed.folder(), alive.folder()
    for name, folder in ("killed.wav", in_killed), ("alive.wav", in_alive):
        (await folder.__aenter__() / name).write_bytes(b"sound")
    killed.close()  # as the system does when a process is gone
    async with ours.folder():
        assert left_in(tmp_path) == ["alive.wav"]
    await in_alive.__aexit__(None, None, None)
    assert left_in(tmp_path) == []
