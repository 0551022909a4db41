"""Pictures read straight from a ZIP file: nothing is unpacked, so no member can be written anywhere."""

import io
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from gantrain.data.folder import is_shown, leads_out
from gantrain.data.formats.decode import SUFFIXES, Framing, open_picture
from gantrain.data.source import Source, fingerprint_of
from gantrain.errors import UserError

LARGEST_MEMBER = 64 << 20  # bytes of one member, packed or not
ENCRYPTED = 1  # the bit of a member's flags
MEMBER = np.dtype([("offset", "<u8"), ("packed", "<u8"), ("size", "<u8"), ("crc32", "<u4"), ("method", "<i4")])


class ZippedPictures(Source):
    """The picture members of a ZIP file, stored or deflated.

    Keeps its directory as one array: a ZipInfo per member would be 100 MB for CelebA, in every process that decodes.
    """

    def __init__(self, file: Path, framing: Framing):
        self.file, self.framing = file.absolute(), framing
        infos = [info for info in _directory(file) if _is_picture(info)]
        if not infos:
            raise UserError(f"data.root: {file} holds no picture")
        self.names = [info.filename for info in infos]
        members = [
            (i.header_offset, i.compress_size, i.file_size, i.CRC, -1 if i.flag_bits & ENCRYPTED else i.compress_type)
            for i in infos
        ]
        self.members = np.array(members, MEMBER)
        self.fingerprint = fingerprint_of(*self.names, more=self.members.tobytes())

    def read(self, index: int) -> Image.Image:
        return open_picture(io.BytesIO(self._bytes(self.members[index])))

    def _bytes(self, member: np.void) -> bytes:
        """A member's bytes, checked against the directory. Raises ValueError, OSError and zlib.error."""
        offset, packed_size, size, crc32, method = member.item()
        if max(packed_size, size) > LARGEST_MEMBER:
            raise ValueError(f"larger than {LARGEST_MEMBER >> 20} MB")
        if method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("encrypted, or packed in a way other than deflate")
        with self.file.open("rb") as stream:
            stream.seek(offset)
            header = stream.read(30)
            if header[:4] != b"PK\3\4" or len(header) != 30:
                raise ValueError("the ZIP file is damaged there")
            stream.seek(sum(struct.unpack("<2H", header[26:])), io.SEEK_CUR)
            data = stream.read(packed_size)
        if method == zipfile.ZIP_DEFLATED:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size + 1)  # a bomb ends there
        if len(data) != size or zlib.crc32(data) != crc32:
            raise ValueError("the ZIP file is damaged there")
        return data


def _directory(file: Path) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError) as error:
        raise UserError(f"data.root: {file} is no sound ZIP file ({error}); fetch it again") from error
    for info in infos:
        if info.header_offset < 0:  # as Python's zipfile makes of a directory that begins too early
            raise UserError(f"data.root: {file} is no sound ZIP file (it is cut off in front); fetch it again")
        if leads_out(info.filename):
            raise UserError(
                f"data.root: {file} names a path outside of itself, {info.filename!r}; do not trust it, fetch it again"
            )
    return sorted(infos, key=lambda info: info.filename)


def _is_picture(info: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(info.filename)
    shown = all(map(is_shown, (path, *path.parents)))
    return not info.filename.endswith("/") and shown and info.filename.lower().endswith(SUFFIXES)
