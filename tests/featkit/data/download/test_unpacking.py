"""Archives that are what they should be, and archives that want to do harm."""

import io
import shutil
import stat
import struct
import warnings
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featkit.data.download import _unpacking
from featkit.data.download._unpacking import Bounds, unpack
from featkit.errors import DataError, StoreError
from featkit.progress import NoProgress

# What the module that makes archives for these tests says of them.
pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name")

BOUNDS = Bounds(files=20, bytes=100_000)


def packed(members, packing=zipfile.ZIP_DEFLATED):
    """Return a .zip of (name or ZipInfo, body) pairs, whatever they are."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(buffer, "w", packing) as archive:
        for name, body in members:
            archive.writestr(name, body)
    return buffer.getvalue()


@pytest.fixture
def run(tmp_path):
    """Unpack these bytes and return the folder."""

    def unpacked(body, *, bounds=BOUNDS, progress=None, name="images"):
        (tmp_path / "a.zip").write_bytes(body)
        unpack(
            tmp_path / "a.zip",
            tmp_path / "data" / name,
            scratch=tmp_path / "scratch",
            bounds=bounds,
            progress=progress or NoProgress(),
        )
        return tmp_path / "data" / name

    return unpacked


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_flat(run, tmp_path):
    assert tree(run(packed([("a.jpg", b"1"), ("b.jpg", b"2")]))) == {"a.jpg": b"1", "b.jpg": b"2"}
    assert not (tmp_path / "scratch").exists()


def test_the_one_folder_that_holds_all_is_left_out(run):
    assert tree(run(packed([("top/", b""), ("top/a/b.jpg", b"1")]))) == {"a/b.jpg": b"1"}


def test_files_beside_the_folder_join_it(run):
    body = packed([("images/a.jpg", b"1"), ("LICENSE.txt", b"2")])
    assert tree(run(body)) == {"a.jpg": b"1", "LICENSE.txt": b"2"}


@pytest.mark.parametrize("name", ["LICENSE.txt", "license.TXT"])
def test_files_beside_the_folder_do_not_take_the_place_of_its_own(run, tmp_path, name):
    body = packed([("images/LICENSE.txt", b"1"), (name, b"2")])
    with pytest.raises(DataError, match=r"'license.txt' both in its folder and beside it"):
        run(body)
    assert not (tmp_path / "data").exists()
    # In another folder each stays where it is.
    assert len(tree(run(body, name="other"))) == 2


def test_a_member_may_have_any_name(run):
    files = [("a/.passing", b"1"), ("a/b.jpg", b"2"), (".passing", b"3")]
    assert tree(run(packed(files))) == dict(files)


def test_files_beside_another_folder_stay_there(run):
    body = packed([("masks/a.jpg", b"1"), ("b.jpg", b"2")])
    assert tree(run(body)) == {"masks/a.jpg": b"1", "b.jpg": b"2"}


def test_what_macos_adds_is_left_out(run):
    body = packed([("top/a.jpg", b"1"), ("__MACOSX/top/._a.jpg", b"x")])
    assert tree(run(body)) == {"a.jpg": b"1"}


def info(name, mode=0o644, **fields):
    member = zipfile.ZipInfo("x")
    member.filename = name
    member.external_attr = (stat.S_IFREG | mode) << 16
    for field, value in fields.items():
        setattr(member, field, value)
    return member


def renamed(old, new):
    """Return a .zip in which a name stands that the module for writing them would not write."""
    return packed([(old, b"x")]).replace(old.encode(), new.encode())


BOMB = packed([("a.jpg", bytes(11_000_000))])

LINK = info("a.jpg", external_attr=(stat.S_IFLNK | 0o777) << 16)

PIPE = info("a.jpg", external_attr=(stat.S_IFIFO | 0o777) << 16)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (packed([("../a.jpg", b"x")]), "leads out of the folder"),
        (packed([("a/../../b.jpg", b"x")]), "leads out of the folder"),
        (packed([("/etc/a.jpg", b"x")]), "has an absolute path"),
        (packed([("C:/a.jpg", b"x")]), "has a drive letter"),
        (packed([("c:a.jpg", b"x")]), "has a drive letter"),
        (renamed("aaaaa.jpg", "..\\aa.jpg"), "has a backslash"),
        (renamed("aaaaa.jpg", "\\\\aaa.jpg"), "has an absolute path"),
        (renamed("aaaaa.jpg", "aa\x00aa.jpg"), "has a control character"),
        (packed([("a\n.jpg", b"x")]), "has a control character"),
        (packed([("./.", b"x")]), "has no name"),
        (packed([(LINK, b"/etc/passwd")]), "is a link or a special file"),
        (packed([(PIPE, b"")]), "is a link or a special file"),
        (packed([("a.jpg", b"x"), ("a.jpg", b"y")]), "holds 'a.jpg' twice"),
        (packed([("a.jpg", b"x"), ("A.JPG", b"y")]), "twice"),
        (packed([("a", b"x"), ("a/b", b"y")]), "'a' is a file and a folder"),
        (packed([(f"{n}.jpg", b"x") for n in range(21)]), "holds 21 files"),
        (packed([("a.jpg", bytes(100_001))]), "of 100,001 bytes, where at most"),
        (BOMB, "packed far more tightly"),
        (packed([("a.jpg", b"x")], zipfile.ZIP_LZMA), "is packed in an unusual way"),
        (packed([]), "holds no files"),
        (b"<html>not found</html>", "it is damaged"),
        (packed([("a.jpg", b"x")])[:-30], "it is damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_an_archive_must_not_hold(run, tmp_path, body, message):
    with pytest.raises(DataError, match=message):
        run(body)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip"]


def test_encrypted(run):
    body = bytearray(packed([("a.jpg", b"x")]))
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        body[body.index(signature) + place] |= 1
    with pytest.raises(DataError, match="is encrypted"):
        run(bytes(body))


def test_a_wrong_checksum_inside(run, tmp_path):
    body = packed([("a.jpg", b"one"), ("b.jpg", b"precious")], zipfile.ZIP_STORED)
    with pytest.raises(DataError, match=r"damaged \(Bad CRC-32 for file 'b.jpg'"):
        run(body.replace(b"precious", b"spurious"))
    assert not (tmp_path / "data").exists()


def test_a_member_that_is_longer_than_it_says(run, tmp_path):
    """A bomb whose directory tells small sizes: no more than it tells is written."""
    body = bytearray(packed([("a.jpg", bytes(50_000))]))
    for signature, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = body.index(signature) + place
        body[at : at + 4] = struct.pack("<I", 10)
    with pytest.raises(DataError, match="damaged"):
        run(bytes(body))
    assert not (tmp_path / "data").exists()


def test_members_that_overlap(run):
    """Many entries of the directory for one piece of data (Fifield 2019)."""
    one = packed([("a.jpg", bytes(range(256)) * 300)], zipfile.ZIP_STORED)
    at, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    entry = one[at:end]
    entries = b"".join(entry.replace(b"a.jpg", b"%d.jpg" % number) for number in range(9))
    tail = bytearray(one[end:])
    tail[8:16] = struct.pack("<HHI", 9, 9, len(entries))
    with pytest.raises(DataError, match="overlap"):
        run(one[:at] + entries + bytes(tail), bounds=Bounds(20, 10_000_000))


def test_no_room(run, monkeypatch):
    monkeypatch.setattr(_unpacking.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 3}))
    with pytest.raises(StoreError, match="are free"):
        run(packed([("a.jpg", b"1234")]))


def test_an_interruption_is_continued(run, tmp_path, monkeypatch):
    body = packed([(f"{n}.jpg", bytes([n] * 9)) for n in range(6)])

    class Interrupting(NoProgress):
        left = 3

        def advance(self, amount, *, note=""):
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(body, progress=Interrupting())
    assert not (tmp_path / "data").exists()
    copied = []
    copy = shutil.copyfileobj
    monkeypatch.setattr(
        _unpacking.shutil, "copyfileobj", lambda a, b, n: copied.append(a.name) or copy(a, b, n)
    )
    assert tree(run(body)) == {f"{n}.jpg": bytes([n] * 9) for n in range(6)}
    assert copied == ["3.jpg", "4.jpg", "5.jpg"]


NAMES = st.text("ab./ ~é", min_size=1, max_size=9) | st.text("a./\\:C\0\n", min_size=1, max_size=9)


@settings(max_examples=150, deadline=None)
@given(names=st.lists(NAMES, min_size=1, max_size=5))
def test_no_name_leads_out(names, tmp_path_factory):
    """Whatever the names, nothing is written but inside the folder."""
    root = tmp_path_factory.mktemp("names")
    (root / "in").mkdir()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(info(name), b"x")
    (root / "in" / "a.zip").write_bytes(buffer.getvalue())
    with suppress(DataError, StoreError):
        unpack(
            root / "in" / "a.zip",
            root / "in" / "out",
            scratch=root / "in" / "scratch",
            bounds=BOUNDS,
            progress=NoProgress(),
        )
    assert [path.name for path in root.iterdir()] == ["in"]
    assert {path.name for path in (root / "in").iterdir()} <= {"a.zip", "out", "scratch"}
